import { MatchersV3 } from "@pact-foundation/pact";
import { type JSONValue, type State, like, timestamp } from "./kit.js";

// Parameters of the states of operator-management are messages of the schema in JSON.

export const provider = "operator-management";
export const account = "6f1c1a52-7f0e-4d0e-9d2e-0d5f4c1b2a3d";
export const requestId = "7f0e8a52-1c1a-4e0d-9d2e-4c1b2a3d0d5f";
export const nobody = "0190a8f0-0000-7000-8000-0000000000ff";
export const ruleId = "0190a8f0-0000-7000-8000-0000000000aa";
export const accountRuleId = "0190a8f0-0000-7000-8000-0000000000ab";
export const rateId = "0190a8f0-0000-7000-8000-0000000000ba";

type Row = { [key: string]: JSONValue };

export const north = {
  operatorId: "0190a8f0-0000-7000-8000-000000000001",
  name: "North",
  host: "smsc.north.example",
  port: 2775,
  systemId: "north",
  systemType: "VMA",
  bindType: "BIND_TYPE_TRANSCEIVER",
  messageTypes: ["MESSAGE_TYPE_SMS", "MESSAGE_TYPE_FLASH"],
  tpsLimit: { maxTps: 100, burstMultiplier: 1.5, enforcementMode: "ENFORCEMENT_MODE_HARD_REJECT" },
  status: "OPERATOR_STATUS_ACTIVE",
  notes: "Call their NOC first.",
};

export const south = {
  operatorId: "0190a8f0-0000-7000-8000-000000000002",
  name: "South",
  host: "10.0.0.2",
  port: 2776,
  systemId: "south",
  bindType: "BIND_TYPE_TRANSMITTER",
  messageTypes: ["MESSAGE_TYPE_SMS"],
  tpsLimit: { maxTps: 50, burstMultiplier: 2, enforcementMode: "ENFORCEMENT_MODE_SOFT_THROTTLE" },
  status: "OPERATOR_STATUS_SUSPENDED",
};

/** A rule for all accounts. */
export const globalRule = {
  ruleId,
  prefix: "+44770",
  country: "GB",
  strategy: "ROUTING_STRATEGY_FAILOVER",
  onExhausted: "ON_EXHAUSTED_FAIL",
  active: true,
  candidates: [{ operatorId: north.operatorId, priority: 1, weight: 100 }],
  description: "Fixed numbers of the UK",
};

/** A rule of one account for the same prefix. */
export const accountRule = {
  ruleId: accountRuleId,
  accountId: account,
  prefix: "+44770",
  country: "GB",
  messageTypes: ["MESSAGE_TYPE_SMS"],
  strategy: "ROUTING_STRATEGY_COST",
  onExhausted: "ON_EXHAUSTED_FALL_THROUGH",
  active: true,
  candidates: [{ operatorId: north.operatorId, priority: 1, weight: 100, price: { currencyCode: "EUR", nanos: "12500000" } }],
};

/** These operators exist, each with a password unless said otherwise. */
export const exist = (operators: Row[], password = "secret"): State => ({
  name: "operators exist",
  parameters: { operators: operators.map((operator) => (password ? { operator, password } : { operator })) },
});

/** These rules exist. */
export const ruled = (...rules: Row[]): State => ({ name: "routing rules exist", parameters: { rules } });

export const rated = (...rates: Row[]): State => ({ name: "rates exist", parameters: { rates } });

/** Connectors said this of an operator, in turn. */
export const reported = (operator: { operatorId: string }, ...bindStates: string[]): State => ({
  name: "connectors reported",
  parameters: {
    reports: bindStates.map((bindState, i) => ({
      operatorId: operator.operatorId,
      connectorId: "connector-1",
      sequence: i + 1,
      bindState,
    })),
  },
});

/** The value of this name that the state gave. */
export const valueOf = (name: string, example: string) => MatchersV3.fromProviderState(`\${${name}}`, example);

/** The etag that the state gave to what has this id. */
export const etagOf = (id: string) => valueOf(`etag of ${id}`, "an etag");

/** What the server sets when something is stored. */
export const stored = {
  etag: like("an etag"),
  createTime: timestamp("2026-11-21T12:00:00Z"),
  updateTime: timestamp("2026-11-21T12:30:00.250Z"),
  createdBy: like("somebody"),
  updatedBy: like("somebody else"),
};

/** An operator as it is answered. */
export const shown = (operator: object, version = "1") => ({ ...operator, hasCredentials: true, version, ...stored });

/** A rule as it is answered, with the names of its operators. */
export const shownRule = (rule: typeof globalRule | typeof accountRule, version = "1") => ({
  ...rule,
  candidates: rule.candidates.map((c) => ({ ...c, operatorName: like("North") })),
  version,
  ...stored,
});

