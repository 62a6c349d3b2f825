import { actionWords, knownActions } from "../../parts/actionwords";
import { withParams } from "../../parts/params";
import type { Option } from "../../parts/filter";

/** What rows are about, in the order of the filter. */
export const entities: readonly Option[] = [
  { value: "operator", label: "Operator" },
  { value: "rule", label: "Rule" },
  { value: "fx", label: "Exchange rates" },
  { value: "release", label: "Release" },
  { value: "account", label: "Account" },
  { value: "api_key", label: "API key" },
  { value: "decision_log", label: "Decision log" },
  { value: "procedure", label: "Procedure" },
];

/** What is offered for the action: all of a kind, and each; any other may be typed. */
export const actions: readonly string[] = ["account.", "api_key.", "operator.", "release.", "rule.", ...knownActions].sort();

/** What an offered action means. */
export function actionHint(action: string): string {
  return action.endsWith(".") ? "All of this kind" : actionWords(action);
}

export function entityWord(entity: string): string {
  return entities.find(({ value }) => value === entity)?.label ?? entity;
}

/** A word without a dot means all actions of that kind. */
export function actionFilter(text: string): string {
  const action = text.trim();
  return action === "" || action.includes(".") ? action : `${action}.`;
}

/** Where the console shows what a row is about; undefined when nowhere. */
export function entityPath(entity: string, id: string): string | undefined {
  if (id === "") return undefined;
  switch (entity) {
    case "operator":
      return `/operators/${encodeURIComponent(id)}`;
    case "rule":
      return withParams("/rules", { rule: id });
    case "release":
      return `/releases/${encodeURIComponent(id)}`;
    case "account":
      return withParams("/access", { account: id });
    case "api_key":
      return withParams("/access", { tab: "keys", ended: "1", key: id });
    default:
      return undefined;
  }
}
