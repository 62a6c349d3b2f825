import { readFileSync } from "node:fs";
import { OperatorStatus } from "@gen/operators/v1/operator_pb.js";
import type { Api } from "./api.js";

/** A page of the console, or a state of one. In its path {operator} and the like stand for the ids of the first ones. */
export interface Route {
  readonly name: string;
  readonly path: string;
  /** Whether it opens with a drawer or a dialog above the page. */
  readonly dialog?: true;
}

/** Every page with its tabs and drawers, also for tools/shots.mjs. A new one is added to the file. */
export const routes = JSON.parse(readFileSync(new URL("routes.json", import.meta.url), "utf8")) as readonly Route[];

const firsts: Record<string, (api: Api) => Promise<string | undefined>> = {
  operator: async (api) => (await api.operators.listOperators({ pageSize: 1, statuses: [OperatorStatus.ACTIVE] })).operators[0]?.operatorId,
  rule: async (api) => (await api.rules.listRoutingRules({ pageSize: 1 })).rules[0]?.ruleId,
  release: async (api) => (await api.releases.listReleases({ pageSize: 1 })).releases[0]?.releaseId,
  decision: async (api) => (await api.decisions.listDecisions({ pageSize: 1 })).decisions[0]?.decisionId,
  account: async (api) => (await api.accounts.listAccounts({ pageSize: 1 })).accounts[0]?.accountId,
  key: async (api) => (await api.keys.listApiKeys({ pageSize: 1 })).apiKeys[0]?.keyId,
  row: async (api) => (await api.audit.listAuditRows({ pageSize: 1 })).rows[0]?.auditId,
};

/** The path of a page with the ids of things that the server has. */
export async function pathOf(route: Route, api: Api): Promise<string> {
  let { path } = route;
  for (const [name, first] of Object.entries(firsts)) {
    if (path.includes(`{${name}}`)) path = path.replace(`{${name}}`, (await first(api)) ?? "none");
  }
  return path;
}
