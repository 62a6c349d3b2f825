import { Button } from "@mantine/core";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Rate } from "@gen/operators/v1/rate_pb";
import { RateService } from "@gen/operators/v1/rate_service_pb";
import { type ReactNode, useMemo } from "react";
import { Link } from "wouter";
import { Allowed, Role } from "../../api/caller";
import { Filters } from "../../parts/filter";
import { Prefix } from "../../parts/number";
import { Section } from "../../parts/page";
import { useParam, withParams } from "../../parts/params";
import { Price } from "../../parts/price";
import { SearchBox } from "../../parts/search";
import { Empty } from "../../parts/states";
import { columnsOf, DataTable } from "../../parts/table";
import { useTableQuery } from "../../parts/tablequery";
import { When } from "../../parts/when";
import { messageTypeWord } from "../../parts/words";
import classes from "./operators.module.css";

/** Digits as people type them, as the prefix that the server takes; "" while they are none. */
export function prefixOf(text: string): string {
  const digits = text.replace(/[\s()-]/g, "").replace(/^(\+|00)/, "");
  return /^[1-9]\d{0,14}$/.test(digits) ? `+${digits}` : "";
}

/** What an operator charges now. */
export function RatesTab({ operatorId }: { operatorId: string }): ReactNode {
  const [typed, setTyped] = useParam("prefix");
  const prefix = prefixOf(typed);
  const inForceAt = useMemo(() => timestampFromDate(new Date()), []);
  const data = useTableQuery(RateService.method.listRates, { operatorId, prefix, inForceAt }, { rows: (page) => page.rates });
  return (
    <Section
      title="Rates in force"
      description="Price per segment, by prefix. The longest prefix of a number counts."
      actions={
        <>
          <Button component={Link} href={withParams("/rates", { operator: operatorId })} variant="subtle" size="compact-sm">
            All rates
          </Button>
          <Allowed role={Role.OPERATOR} unbound>
            <Button component={Link} href={withParams("/rates/import", { operator: operatorId })} variant="default" size="compact-sm">
              Import a rate deck
            </Button>
          </Allowed>
        </>
      }
    >
      <div className={classes.stack}>
        <Filters>
          <SearchBox label="Prefix" placeholder="Prefix, such as +4479" value={typed} onChange={setTyped} />
        </Filters>
        <DataTable
          label="Rates in force"
          noun={["rate", "rates"]}
          columns={columns}
          data={data}
          id={(row) => row.rateId}
          height="fit"
          empty={
            prefix === "" ? (
              <Empty title="No rates">Rules that choose by cost use this operator only where they give it a price of their own.</Empty>
            ) : (
              <Empty title={`No rate in force begins with ${prefix}`} />
            )
          }
        />
      </div>
    </Section>
  );
}

const column = columnsOf<Rate>();

const columns = [
  column.accessor("prefix", { header: "Prefix", size: 130, meta: { grow: 1, narrow: true }, cell: ({ getValue }) => <Prefix value={getValue()} /> }),
  column.accessor("messageType", { header: "Type", size: 100, meta: { grow: 0 }, cell: ({ getValue }) => messageTypeWord(getValue()) }),
  column.accessor("price", { header: "Price a segment", size: 170, meta: { grow: 0, align: "end", narrow: true }, cell: ({ getValue }) => <Price money={getValue()} /> }),
  column.accessor((row) => networkOf(row), { id: "network", header: "MCC, MNC", size: 120, meta: { grow: 0, mono: true } }),
  column.accessor("effectiveFrom", { header: "From", size: 180, cell: ({ getValue }) => <When time={getValue()} /> }),
  column.accessor("effectiveTo", { header: "Until", size: 180, cell: ({ getValue }) => (getValue() === undefined ? "for ever" : <When time={getValue()} />) }),
];

function networkOf({ mcc, mnc }: Rate): string {
  return mcc === "" && mnc === "" ? "–" : [mcc, mnc].filter((part) => part !== "").join(" ");
}
