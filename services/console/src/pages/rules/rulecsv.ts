import type { RoutingRule, RuleCandidate } from "@gen/operators/v1/routing_rule_pb";
import { MessageType, OnExhausted, RoutingStrategy } from "@gen/routing/v1/types_pb";
import { csvText, type CsvColumn } from "../../parts/csv";
import { nanosText } from "../../parts/money";

/** One line of a file of rules: one candidate, with the rule that it belongs to. */
interface Line {
  readonly rule: RoutingRule;
  readonly candidate: RuleCandidate;
}

/** The names that files use, by the enums of the API. */
const types: Readonly<Record<MessageType, string>> = {
  [MessageType.UNSPECIFIED]: "",
  [MessageType.SMS]: "SMS",
  [MessageType.FLASH]: "FLASH",
  [MessageType.WAP]: "WAP",
};
const strategies: Readonly<Record<RoutingStrategy, string>> = {
  [RoutingStrategy.UNSPECIFIED]: "",
  [RoutingStrategy.COST]: "COST",
  [RoutingStrategy.PRIORITY]: "PRIORITY",
  [RoutingStrategy.FAILOVER]: "FAILOVER",
  [RoutingStrategy.WEIGHTED]: "WEIGHTED",
};

/** What the importer of rules reads, in the order in which other exports write it. */
const columns: readonly CsvColumn<Line>[] = [
  own("account", ({ rule }) => rule.accountId),
  own("prefix", ({ rule }) => rule.prefix),
  own("country", ({ rule }) => rule.country),
  own("message_types", ({ rule }) => [...rule.messageTypes].sort((a, b) => a - b).map((type) => types[type]).join("|")),
  own("strategy", ({ rule }) => strategies[rule.strategy]),
  own("on_exhausted", ({ rule }) => (rule.onExhausted === OnExhausted.FALL_THROUGH ? "FALL_THROUGH" : "FAIL")),
  own("operator", ({ candidate }) => guarded(candidate.operatorName === "" ? candidate.operatorId : candidate.operatorName)),
  own("priority", ({ candidate }) => String(candidate.priority)),
  own("weight", ({ candidate }) => String(candidate.weight ?? 100)),
  own("price", ({ candidate }) => (candidate.price === undefined ? "" : nanosText(candidate.price.nanos, 0))),
  own("currency", ({ candidate }) => candidate.price?.currencyCode ?? ""),
];

function own(name: string, value: (line: Line) => string): CsvColumn<Line> {
  return { name, value, own: true };
}

export const header = columns.map((column) => column.name).join(",");

/** A name that a spreadsheet would run gets an apostrophe, and so does one that looks as if it had got one: the importer takes it away. */
function guarded(name: string): string {
  return /^([=+\-@\t\r]|'[=+\-@\t\r'])/.test(name) ? `'${name}` : name;
}

/** A file that the importer reads back to the same rules, apart from what files do not speak of. */
export function rulesCsv(rules: Iterable<RoutingRule>): string {
  return csvText(lines(rules), columns);
}

function* lines(rules: Iterable<RoutingRule>): Iterable<Line> {
  for (const rule of rules) for (const candidate of rule.candidates) yield { rule, candidate };
}

/** Whether a file cannot say all of the rule: that it is switched off, or limited in time. */
export function lossy(rule: RoutingRule): boolean {
  return !rule.active || rule.validFrom !== undefined || rule.validTo !== undefined;
}
