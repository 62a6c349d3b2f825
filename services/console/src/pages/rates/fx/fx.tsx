import { Button } from "@mantine/core";
import { useQuery } from "@connectrpc/connect-query";
import type { FxRate } from "@gen/operators/v1/rate_pb";
import { RateService } from "@gen/operators/v1/rate_service_pb";
import { IconPencil } from "@tabler/icons-react";
import { type ReactNode, useMemo } from "react";
import { Role, useMay } from "../../../api/caller";
import { Answer } from "../../../parts/answer";
import { nanosText } from "../../../parts/money";
import { useParam } from "../../../parts/params";
import { Empty } from "../../../parts/states";
import { StatusBadge } from "../../../parts/status";
import { columnsOf, DataTable } from "../../../parts/table";
import { useLocalRows } from "../../../parts/tablequery";
import { FxForm } from "./fxform";
import classes from "./fx.module.css";
import { baseOf, inverse, ordered, unit } from "./fxtable";

const column = columnsOf<FxRate>();

function columnsFor(base: string) {
  return [
    column.accessor("currencyCode", { header: "Currency", size: 110, meta: { narrow: true, mono: true } }),
    column.display({ id: "name", header: "Name", size: 180, cell: ({ row }) => nameOf(row.original.currencyCode) }),
    column.display({
      id: "worth",
      header: `One unit is worth, in ${base}`,
      size: 200,
      meta: { narrow: true, align: "end" },
      cell: ({ row }) =>
        row.original.rateNanos === unit ? <StatusBadge tone="info">Base</StatusBadge> : nanosText(row.original.rateNanos),
    }),
    column.display({
      id: "buys",
      header: `One ${base} buys about`,
      size: 200,
      meta: { align: "end" },
      cell: ({ row }) => (row.original.rateNanos === unit ? "–" : nanosText(inverse(row.original.rateNanos))),
    }),
  ];
}

const names = new Intl.DisplayNames(undefined, { type: "currency", fallback: "none" });

function nameOf(code: string): string {
  return names.of(code) ?? "";
}

/** What each currency is worth: prices in different currencies are compared by it. */
export function FxTab(): ReactNode {
  const query = useQuery(RateService.method.listFxRates, {});
  const may = useMay(Role.OPERATOR);
  const [edit, setEdit] = useParam("edit");
  return (
    <div className={classes.tab}>
      <p className={classes.says}>
        Prices in different currencies are compared by these rates. One currency is the base and has 1; without a rate, prices of two
        currencies in one rule are a conflict.
      </p>
      <Answer query={query} height={360}>
        {({ fxRates }) =>
          edit !== "" && may ? (
            <FxForm rates={fxRates} onClose={() => setEdit("")} refetch={async () => (await query.refetch()).data?.fxRates} />
          ) : (
            <FxTable rates={fxRates} {...(may ? { onEdit: () => setEdit("1", "push") } : {})} />
          )
        }
      </Answer>
    </div>
  );
}

interface FxTableProps {
  readonly rates: readonly FxRate[];
  readonly onEdit?: () => void;
}

function FxTable({ rates, onEdit }: FxTableProps): ReactNode {
  const base = baseOf(rates);
  const columns = useMemo(() => columnsFor(base === "" ? "the base" : base), [base]);
  const rows = useMemo(() => ordered(rates), [rates]);
  const data = useLocalRows(rows);
  const button = onEdit && (
    <Button variant="default" size="sm" leftSection={<IconPencil size={16} aria-hidden />} onClick={onEdit}>
      {rates.length === 0 ? "Write the table" : "Change the table"}
    </Button>
  );
  if (rates.length === 0) {
    return (
      <Empty title="No exchange rates" action={button}>
        As long as all prices have one currency none are needed.
      </Empty>
    );
  }
  return (
    <DataTable
      label="Exchange rates"
      noun={["currency", "currencies"]}
      columns={columns}
      data={data}
      id={(rate) => rate.currencyCode}
      height="fit"
      second={(rate) => nameOf(rate.currencyCode)}
      tools={button}
    />
  );
}
