import type { MessageInitShape } from "@bufbuild/protobuf";
import { type RoutingRule, type RoutingRuleSchema } from "@gen/operators/v1/routing_rule_pb";
import { OnExhausted, RoutingStrategy } from "@gen/routing/v1/types_pb";
import { exactText, fromLocal, gapComplaint } from "../../parts/datetime";
import { moneyComplaint, moneyText, readMoney } from "../../parts/money";
import { prefixComplaint } from "../../parts/prefixinput";
import { same } from "../../parts/threeway";
import { type CandidateValues, priorityOf } from "./candidates";
import { exhaustionOf, messageTypes, strategyOf, weighing } from "./strategies";

/** A rule while it is edited: texts and flags. */
export interface RuleValues {
  readonly accountId: string;
  readonly prefix: string;
  readonly country: string;
  /** Enum values as text; none is all. */
  readonly messageTypes: readonly string[];
  readonly strategy: string;
  readonly onExhausted: string;
  readonly active: boolean;
  readonly validFrom: string;
  readonly validTo: string;
  readonly description: string;
  readonly candidates: readonly CandidateValues[];
}

/** What may be changed of a stored rule, and how the API calls it. */
const changeable = {
  country: "country",
  description: "description",
  strategy: "strategy",
  onExhausted: "on_exhausted",
  candidates: "candidates",
  active: "active",
  validFrom: "valid_from",
  validTo: "valid_to",
} as const satisfies Partial<Record<keyof RuleValues, string>>;

export const editable = Object.keys(changeable) as (keyof typeof changeable)[];

export function emptyRule(prefix: string, accountId: string): RuleValues {
  return {
    accountId,
    prefix,
    country: "",
    messageTypes: [],
    strategy: String(RoutingStrategy.PRIORITY),
    onExhausted: String(OnExhausted.FAIL),
    active: true,
    validFrom: "",
    validTo: "",
    description: "",
    candidates: [{ key: "new-1", operatorId: "", priority: "1", weight: "100", price: moneyText(undefined) }],
  };
}

export function valuesOf(rule: RoutingRule): RuleValues {
  return {
    accountId: rule.accountId,
    prefix: rule.prefix,
    country: rule.country,
    messageTypes: rule.messageTypes.map(String),
    strategy: String(rule.strategy),
    onExhausted: String(rule.onExhausted),
    active: rule.active,
    validFrom: exactText(rule.validFrom),
    validTo: exactText(rule.validTo),
    description: rule.description,
    candidates: rule.candidates.map((candidate) => ({
      key: candidate.operatorId,
      operatorId: candidate.operatorId,
      priority: String(candidate.priority),
      weight: String(candidate.weight ?? 100),
      price: moneyText(candidate.price),
    })),
  };
}

/** The rule that values without complaints say. */
export function ruleOf(values: RuleValues): MessageInitShape<typeof RoutingRuleSchema> {
  const validFrom = fromLocal(values.validFrom);
  const validTo = fromLocal(values.validTo);
  return {
    accountId: values.accountId,
    prefix: values.prefix,
    country: values.country,
    messageTypes: messageTypes.filter((type) => values.messageTypes.includes(String(type))),
    strategy: strategyOf(values.strategy),
    onExhausted: exhaustionOf(values.onExhausted),
    active: values.active,
    ...(validFrom === undefined ? {} : { validFrom }),
    ...(validTo === undefined ? {} : { validTo }),
    description: values.description,
    candidates: values.candidates.map((row) => {
      const { money } = readMoney(row.price);
      return {
        operatorId: row.operatorId,
        priority: priorityOf(row),
        weight: Number(row.weight),
        ...(money === undefined ? {} : { price: money }),
      };
    }),
  };
}

/** Values in one form: rows are called by their operators, prices are written as the server's are. For comparing. */
export function plain(values: RuleValues): RuleValues {
  return {
    ...values,
    candidates: values.candidates.map((row) => {
      const { money } = readMoney(row.price);
      const price = money === undefined && row.price.amount.trim() === "" ? moneyText(undefined) : money === undefined ? row.price : moneyText(money);
      return { ...row, key: row.operatorId, priority: row.priority.trim(), weight: row.weight.trim(), price };
    }),
  };
}

/** The update mask of what differs. */
export function changes(base: RuleValues, values: RuleValues): string[] {
  const before = plain(base);
  const after = plain(values);
  return editable.filter((name) => !same(before[name], after[name])).map((name) => changeable[name]);
}

/** What is wrong, by the paths of the form. Conflicts with other rules are the server's to find. */
export function complaints(values: RuleValues): Record<string, string> {
  const found: Record<string, string> = {};
  const say = (path: string, complaint: string | null | undefined): void => {
    if (complaint !== null && complaint !== undefined && complaint !== "") found[path] ??= complaint;
  };
  say("prefix", prefixComplaint(values.prefix, true));
  if (values.description.length > 500) say("description", "Write at most 500 characters.");
  say("validFrom", gapComplaint(values.validFrom));
  say("validTo", gapComplaint(values.validTo));
  const from = fromLocal(values.validFrom);
  const to = fromLocal(values.validTo);
  if (from !== undefined && to !== undefined && to.seconds <= from.seconds) say("validTo", "The end has to be after the start.");
  if (values.candidates.length === 0) say("candidates", "Add at least one operator.");
  const { strict, weight } = weighing(strategyOf(values.strategy));
  values.candidates.forEach((row, index) => {
    const at = `candidates.${String(index)}`;
    const before = values.candidates.slice(0, index);
    if (row.operatorId === "") say(`${at}.operatorId`, "Choose an operator.");
    else if (!uuid.test(row.operatorId)) say(`${at}.operatorId`, "Give the operator's UUID.");
    else if (before.some((other) => other.operatorId === row.operatorId)) say(`${at}.operatorId`, "This operator is in the rule already.");
    say(`${at}.priority`, whole(row.priority, 1));
    if (strict && before.some((other) => priorityOf(other) === priorityOf(row))) say(`${at}.priority`, "Each candidate needs its own priority.");
    say(`${at}.weight`, whole(row.weight, 0));
    say(`${at}.price`, moneyComplaint(row.price));
  });
  if (weight && values.candidates.length > 0 && values.candidates.every((row) => Number(row.weight) === 0)) {
    say("candidates.0.weight", "At least one weight has to be above 0.");
  }
  return found;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const most = 1_000_000;

function whole(text: string, least: number): string | null {
  const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? null : `Give a whole number from ${String(least)} to 1,000,000.`;
}
