import type { State } from "./kit.js";

// The numbers belong to a range that no subscriber has.
export const number = "+447700900123";
export const numberElsewhere = "+4930900000001";
export const prefix = "+44770";
export const account = "6f1c1a52-7f0e-4d0e-9d2e-0d5f4c1b2a3d";
export const ruleId = "0190a8f0-0000-7000-8000-0000000000aa";

export const north = {
  operatorId: "0190a8f0-0000-7000-8000-000000000001",
  name: "North",
  host: "smsc.north.example",
  port: 2775,
  systemId: "north",
  maxTps: 100,
  messageTypes: ["SMS", "FLASH"],
};

export const south = {
  operatorId: "0190a8f0-0000-7000-8000-000000000002",
  name: "South",
  host: "smsc.south.example",
  port: 2776,
  systemId: "south",
  maxTps: 50,
  messageTypes: ["SMS"],
};

/** North and South are ACTIVE and BOUND, and a global rule prefers South. */
export const routed: State[] = [
  { name: "operators with sessions", parameters: { operators: [north, south] } },
  {
    name: "a rule in force",
    parameters: {
      ruleId,
      prefix,
      strategy: "PRIORITY",
      candidates: [
        { operatorId: north.operatorId, priority: 2, weight: 100, priceNanos: "9000000", currency: "EUR" },
        { operatorId: south.operatorId, priority: 1, weight: 100, priceNanos: "12500000", currency: "EUR" },
      ],
    },
  },
];

export const southIsLost: State = {
  name: "the sessions of an operator are lost",
  parameters: { operatorId: south.operatorId },
};
