import { type JSONValue, type State, like, regex } from "./kit.js";
import { valueOf } from "./management.js";

// The log of decisions is part of operator-management, and a provider of its own: whoever keeps these promises knows routing.

export const provider = "decision-log";
export const listing = "trunkline.routing.v1.DecisionService/ListDecisions";
export const summing = "trunkline.routing.v1.DecisionService/SummarizeDecisions";

export const account = "6f1c1a52-7f0e-4d0e-9d2e-0d5f4c1b2a3d";
export const operatorId = "0190a8f0-0000-7000-8000-000000000001";
export const ruleId = "0190a8f0-0000-7000-8000-0000000000aa";
export const releaseId = "0190a8f0-0000-7000-8000-0000000000da";
export const number = "+447911123456";

type Row = { [key: string]: JSONValue };

const meta = { configVersion: "7", rulesVersion: "5", algoVersion: 1 };

/** A decision that chose an operator, by a release. */
export const routed = {
  decisionId: "0190a8f0-0000-7000-8000-0000000000d1",
  decideTime: "2026-11-22T11:58:10.250Z",
  accountId: account,
  messageType: "MESSAGE_TYPE_SMS",
  matchedPrefix: "+4479",
  ruleId,
  operatorId,
  unitPrice: { currencyCode: "EUR", nanos: "12500000" },
  meta: { ...meta, decisionId: "0190a8f0-0000-7000-8000-0000000000d1", releaseId, cache: "CACHE_RESULT_HIT", healthUnknown: true },
  latency: "0.000850s",
};

/** A later one that found none. */
export const unrouted = {
  decisionId: "0190a8f0-0000-7000-8000-0000000000d2",
  decideTime: "2026-11-22T11:59:05Z",
  accountId: account,
  messageType: "MESSAGE_TYPE_FLASH",
  failure: "NO_ROUTE",
  meta: { ...meta, decisionId: "0190a8f0-0000-7000-8000-0000000000d2", cache: "CACHE_RESULT_MISS" },
  latency: "0.004s",
};

/** What was reported of routed, in turn. */
export const outcomes = [
  { reportTime: "2026-11-22T11:58:11Z", operatorId, outcome: "OUTCOME_REJECTED", commandStatus: 88 },
  { reportTime: "2026-11-22T11:58:14Z", operatorId, outcome: "OUTCOME_DELIVERED", segments: 2 },
];

/** These decisions about the number are in the log, with what was reported of them. */
export const logged = (decisions: Row[], reported: Row[] = []): State => ({
  name: "decisions about a number were logged",
  parameters: { number, decisions, outcomes: reported.map((outcome) => ({ decisionId: routed.decisionId, outcome })) },
});

export const both = logged([routed, unrouted], outcomes);

/** The server's clock shows this. */
export const clock = (time: string): State => ({ name: "it is a moment", parameters: { time } });

/** The caller has this role, and not that of an admin. */
export const calledAs = (role: string): State => ({ name: "the caller has a role", parameters: { role } });

/** A page was read, and there are more; nextPage is where they begin. */
export const read = (request: Row): State => ({ name: "a page of decisions was read", parameters: { request } });
export const nextPage = valueOf("the next page", "where to go on");

/** A decision as it is answered: the log keeps the start of the number, its length and its hash. */
export const shown = (decision: object) => ({
  ...decision,
  numberPrefix: "+447911",
  numberDigits: 12,
  numberHash: regex(/^[0-9a-f]{64}$/, "ab".repeat(32)),
  hashKeyId: like("0c1d2e3f"),
});

/** Whole seconds or parts of them. */
export const duration = (example: string) => regex(/^\d+(\.\d+)?s$/, example);
