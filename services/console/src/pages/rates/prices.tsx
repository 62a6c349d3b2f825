import { Button, SegmentedControl } from "@mantine/core";
import type { Rate } from "@gen/operators/v1/rate_pb";
import { RateService } from "@gen/operators/v1/rate_service_pb";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type ReactNode, useMemo } from "react";
import { Link } from "wouter";
import { Role, useMay } from "../../api/caller";
import { DateTimeInput, fromLocal, localText } from "../../parts/datetime";
import { Filters } from "../../parts/filter";
import { OperatorName } from "../../parts/names";
import { Prefix } from "../../parts/number";
import { useParams, withParams } from "../../parts/params";
import { Price } from "../../parts/price";
import { SearchBox } from "../../parts/search";
import { OperatorSelect } from "../../parts/select";
import { Empty } from "../../parts/states";
import { columnsOf, DataTable } from "../../parts/table";
import { useTableQuery } from "../../parts/tablequery";
import { When } from "../../parts/when";
import { messageTypeWord } from "../../parts/words";
import { choiceOf, useMoment } from "./moment";
import { readPrefix } from "./prefix";
import classes from "./rates.module.css";

const column = columnsOf<Rate>();

const columns = [
  column.accessor("prefix", { header: "Prefix", size: 150, meta: { narrow: true }, cell: (cell) => <Prefix value={cell.getValue()} /> }),
  column.accessor("operatorId", { header: "Operator", size: 200, cell: (cell) => <OperatorName id={cell.getValue()} /> }),
  column.accessor("price", {
    header: "Price per segment",
    size: 160,
    meta: { narrow: true, align: "end" },
    cell: (cell) => <Price money={cell.getValue()} />,
  }),
  column.accessor("messageType", { header: "Type", size: 90, meta: { grow: 0 }, cell: (cell) => messageTypeWord(cell.getValue()) }),
  column.display({ id: "network", header: "MCC, MNC", size: 100, meta: { grow: 0, mono: true }, cell: ({ row }) => network(row.original) }),
  column.accessor("effectiveFrom", { header: "From", size: 180, cell: (cell) => <When time={cell.getValue()} /> }),
  column.accessor("effectiveTo", { header: "Until", size: 180, cell: (cell) => <Until rate={cell.row.original} /> }),
];

/** Texts, as 01 is not 001. */
function network({ mcc, mnc }: Rate): string {
  return mcc === "" ? "–" : mnc === "" ? mcc : `${mcc} ${mnc}`;
}

function Until({ rate }: { readonly rate: Rate }): ReactNode {
  return rate.effectiveTo === undefined ? <span className={classes.dim}>no end</span> : <When time={rate.effectiveTo} />;
}

/** The prices of all operators, by what the query string asks for. */
export function Prices(): ReactNode {
  const [params, setParams] = useParams({ operator: "", prefix: "", at: "" });
  const prefix = readPrefix(params.prefix);
  const inForceAt = useMoment(params.at);
  const input = useMemo(
    () => ({ operatorId: params.operator, prefix: prefix ?? "", ...(inForceAt === undefined ? {} : { inForceAt }) }),
    [params.operator, prefix, inForceAt],
  );
  const data = useTableQuery(RateService.method.listRates, input, { rows: (page) => page.rates, enabled: prefix !== undefined });
  const choice = choiceOf(params.at);
  const wrong = prefix === undefined;

  return (
    <>
      <Filters>
        <SearchBox label="Prefix" placeholder="Prefix, such as +4479" value={params.prefix} onChange={(text) => setParams({ prefix: text })} />
        <OperatorSelect label="Operator" bare clearable value={params.operator} onChange={(operator) => setParams({ operator })} />
        <SegmentedControl
          aria-label="In force"
          size="sm"
          value={choice}
          onChange={(next) => setParams({ at: next === "now" ? "" : next === "all" ? "all" : new Date().toISOString() })}
          data={[
            { value: "now", label: "In force now" },
            { value: "moment", label: "At a moment" },
            { value: "all", label: "All times" },
          ]}
        />
        {choice === "moment" && (
          <DateTimeInput
            label="In force at"
            value={localText(new Date(params.at))}
            onChange={(text) => {
              const time = fromLocal(text);
              if (time !== undefined) setParams({ at: timestampDate(time).toISOString() });
            }}
          />
        )}
      </Filters>
      {wrong ? (
        <Empty title="That is no prefix">A prefix is + and 1 to 15 digits, not beginning with 0. Spaces do not matter.</Empty>
      ) : (
        <DataTable
          label="Prices"
          noun={["price", "prices"]}
          columns={columns}
          data={data}
          id={(rate) => rate.rateId}
          second={(rate) => (
            <span>
              <OperatorName id={rate.operatorId} /> · {messageTypeWord(rate.messageType)} · from <When time={rate.effectiveFrom} />
              {rate.effectiveTo !== undefined && (
                <>
                  {" "}
                  until <When time={rate.effectiveTo} />
                </>
              )}
            </span>
          )}
          empty={<NoPrices filtered={params.operator !== "" || prefix !== "" || choice !== "now"} operator={params.operator} onClear={() => setParams({ operator: "", prefix: "", at: "" })} />}
        />
      )}
    </>
  );
}

interface NoPricesProps {
  readonly filtered: boolean;
  readonly operator: string;
  readonly onClear: () => void;
}

function NoPrices({ filtered, operator, onClear }: NoPricesProps): ReactNode {
  const may = useMay(Role.OPERATOR);
  if (filtered) {
    return (
      <Empty
        title="No price matches"
        action={
          <Button variant="default" size="sm" onClick={onClear}>
            Show all prices
          </Button>
        }
      >
        Nothing is stored for this operator, prefix and moment. A missing price is never 0: without one, rules by cost leave the operator out.
      </Empty>
    );
  }
  return (
    <Empty
      title="No prices yet"
      {...(may
        ? {
            action: (
              <Button component={Link} size="sm" href={withParams("/rates/import", { operator })}>
                Import a deck
              </Button>
            ),
          }
        : {})}
    >
      Prices come in rate decks, the price lists that operators send.
    </Empty>
  );
}
