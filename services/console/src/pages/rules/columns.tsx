import type { RoutingRule } from "@gen/operators/v1/routing_rule_pb";
import { type ReactNode, useMemo } from "react";
import { useAccountNames } from "../../parts/names";
import { Prefix } from "../../parts/number";
import { shortId } from "../../parts/shortid";
import { columnsOf, type Columns } from "../../parts/table";
import { dateOf, utcText } from "../../parts/when";
import { exhaustedWord, strategyWord } from "../../parts/words";
import { countryName } from "./countries";
import { RuleStateBadge } from "./state";
import { typesText } from "./strategies";
import classes from "./rules.module.css";

const column = columnsOf<RoutingRule>();

type NameOf = (accountId: string) => string | undefined;

/** Names are looked up once for all rows: a cell that asks for them by itself listens for as long as it is in the window. */
export function useRuleColumns(): Columns<RoutingRule> {
  const { name } = useAccountNames();
  return useMemo(() => ruleColumns(name), [name]);
}

const ruleColumns = (nameOf: NameOf): Columns<RoutingRule> => [
  column.accessor("prefix", { header: "Prefix", size: 116, meta: { narrow: true }, cell: (cell) => <Prefix value={cell.getValue()} /> }),
  column.accessor("country", {
    header: "Country",
    size: 84,
    meta: { grow: 0 },
    cell: (cell) => (cell.getValue() === "" ? "–" : <span title={countryName(cell.getValue())}>{cell.getValue()}</span>),
  }),
  column.accessor("accountId", { header: "Account", size: 110, cell: (cell) => <Account id={cell.getValue()} nameOf={nameOf} /> }),
  column.accessor("strategy", { header: "Strategy", size: 98, meta: { grow: 0 }, cell: (cell) => strategyWord(cell.getValue()) }),
  column.display({ id: "candidates", header: "Candidates", size: 180, meta: { grow: 4 }, cell: ({ row }) => <Carriers rule={row.original} /> }),
  column.accessor("messageTypes", { header: "Types", size: 84, meta: { grow: 0 }, cell: (cell) => typesText(cell.getValue()) }),
  column.accessor("onExhausted", { header: "On exhausted", size: 124, meta: { grow: 0 }, cell: (cell) => exhaustedWord(cell.getValue()) }),
  column.display({ id: "validity", header: "Valid", size: 112, meta: { grow: 1 }, cell: ({ row }) => <Validity rule={row.original} /> }),
  column.display({ id: "state", header: "State", size: 104, meta: { narrow: true }, cell: ({ row }) => <RuleStateBadge rule={row.original} /> }),
];

/** Whose rule it is: everybody's, a name, or what fits of an id that has no name here. */
function Account({ id, nameOf }: { readonly id: string; readonly nameOf: NameOf }): ReactNode {
  if (id === "") return "Global";
  const name = nameOf(id);
  if (name !== undefined) return <span title={`${name}, account ${id}`}>{name}</span>;
  return (
    <span className={classes.nameless} title={`Account ${id}, which has no name here`}>
      {shortId(id)}
    </span>
  );
}

/** The second line of a row on a narrow screen. */
export function RuleSecond({ rule }: { readonly rule: RoutingRule }): ReactNode {
  return (
    <span className={classes.carriers}>
      {strategyWord(rule.strategy)} · <Carriers rule={rule} />
    </span>
  );
}

/** How many names fit into a row. */
const shown = 3;

/** The first operators by order, "+2" for the rest. */
export function Carriers({ rule }: { readonly rule: RoutingRule }): ReactNode {
  const names = rule.candidates.map((one) => one.operatorName || one.operatorId);
  const rest = names.length - shown;
  return (
    <span className={classes.carriers} title={names.join(", ")}>
      {names.slice(0, shown).join(", ")}
      {rest > 0 && <span className={classes.more}> +{rest}</span>}
    </span>
  );
}

const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

function Validity({ rule: { validFrom, validTo } }: { readonly rule: RoutingRule }): ReactNode {
  if (validFrom === undefined && validTo === undefined) return "Always";
  const from = validFrom === undefined ? undefined : dateOf(validFrom);
  const to = validTo === undefined ? undefined : dateOf(validTo);
  const title = `${from === undefined ? "always" : utcText(from)} to ${to === undefined ? "for ever" : utcText(to)}`;
  const text = from === undefined ? "" : `From ${day.format(from)}`;
  const end = to === undefined ? "" : `${from === undefined ? "To" : "to"} ${day.format(to)}`;
  return <span title={title}>{[text, end].filter((part) => part !== "").join(" ")}</span>;
}
