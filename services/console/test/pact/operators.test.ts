import { BindType, OperatorStatus } from "@gen/operators/v1/operator_pb.js";
import { MessageType, OnExhausted, RoutingStrategy } from "@gen/routing/v1/types_pb.js";
import { describe, expect, it } from "vitest";
import { type State, int64, interaction, like, regex, uuid } from "./kit.js";

const provider = "operator-management";
const account = "6f1c1a52-7f0e-4d0e-9d2e-0d5f4c1b2a3d";
const id = "0190a8f0-0000-7000-8000-000000000001";

// Names of fields and values are those of the import files.
const operators: State = {
  name: "operators exist",
  parameters: {
    operators: [
      {
        name: "North",
        host: "smsc.north.example",
        port: "2775",
        system_id: "north",
        bind_type: "TRANSCEIVER",
        max_tps: "100",
        message_types: "SMS|FLASH",
        status: "ACTIVE",
      },
      {
        name: "South",
        host: "10.0.0.2",
        port: "2776",
        system_id: "south",
        bind_type: "TRANSMITTER",
        max_tps: "50",
        message_types: "SMS",
        status: "SUSPENDED",
      },
    ],
  },
};

const rules: State = {
  name: "routing rules exist",
  parameters: {
    rules: [
      {
        account: "",
        prefix: "+44770",
        country: "GB",
        message_types: "",
        strategy: "FAILOVER",
        on_exhausted: "FAIL",
        operator: "North",
        priority: "1",
        weight: "100",
        price: "",
        currency: "",
      },
      {
        account,
        prefix: "+44770",
        country: "GB",
        message_types: "SMS",
        strategy: "COST",
        on_exhausted: "FALL_THROUGH",
        operator: "North",
        priority: "1",
        weight: "100",
        price: "0.0125",
        currency: "EUR",
      },
    ],
  },
};

const north = {
  operatorId: uuid(id),
  name: "North",
  host: "smsc.north.example",
  port: 2775,
  systemId: "north",
  bindType: "BIND_TYPE_TRANSCEIVER",
  maxTps: 100,
  messageTypes: ["MESSAGE_TYPE_SMS", "MESSAGE_TYPE_FLASH"],
  status: "OPERATOR_STATUS_ACTIVE",
  version: int64("1"),
};

describe("the list of operators", () => {
  it("shows them by name", () =>
    interaction(
      {
        provider,
        name: "the operators",
        states: [operators],
        procedure: "trunkline.operators.v1.OperatorService/ListOperators",
        request: {},
        response: {
          operators: [
            north,
            {
              operatorId: uuid("0190a8f0-0000-7000-8000-000000000002"),
              name: "South",
              host: "10.0.0.2",
              port: 2776,
              systemId: "south",
              bindType: "BIND_TYPE_TRANSMITTER",
              maxTps: 50,
              messageTypes: ["MESSAGE_TYPE_SMS"],
              status: "OPERATOR_STATUS_SUSPENDED",
              version: int64("1"),
            },
          ],
        },
      },
      async (api) => {
        const got = await api.operators.listOperators({});
        expect(got.nextPageToken).toBe("");
        expect(got.operators).toMatchObject([
          {
            operatorId: id,
            name: "North",
            host: "smsc.north.example",
            port: 2775,
            systemId: "north",
            bindType: BindType.TRANSCEIVER,
            maxTps: 100,
            messageTypes: [MessageType.SMS, MessageType.FLASH],
            status: OperatorStatus.ACTIVE,
            version: 1n,
          },
          { name: "South", bindType: BindType.TRANSMITTER, messageTypes: [MessageType.SMS], status: OperatorStatus.SUSPENDED },
        ]);
      },
    ));

  it("is read in pages", () =>
    interaction(
      {
        provider,
        name: "the first page of the operators",
        states: [operators],
        procedure: "trunkline.operators.v1.OperatorService/ListOperators",
        request: { pageSize: 1 },
        response: { operators: [north], nextPageToken: regex(/^.{1,512}$/, "more") },
      },
      async (api) => {
        const got = await api.operators.listOperators({ pageSize: 1 });
        expect(got.operators).toHaveLength(1);
        expect(got.nextPageToken).toBe("more");
      },
    ));
});

describe("the list of routing rules", () => {
  it("shows global rules first", () =>
    interaction(
      {
        provider,
        name: "the routing rules",
        states: [operators, rules],
        procedure: "trunkline.operators.v1.RoutingRuleService/ListRoutingRules",
        request: {},
        response: {
          rules: [
            {
              ruleId: uuid("0190a8f0-0000-7000-8000-0000000000aa"),
              prefix: "+44770",
              country: "GB",
              strategy: "ROUTING_STRATEGY_FAILOVER",
              onExhausted: "ON_EXHAUSTED_FAIL",
              active: true,
              candidates: [{ operatorId: uuid(id), operatorName: like("North"), priority: 1, weight: 100 }],
            },
            {
              ruleId: uuid("0190a8f0-0000-7000-8000-0000000000ab"),
              accountId: account,
              prefix: "+44770",
              country: "GB",
              messageTypes: ["MESSAGE_TYPE_SMS"],
              strategy: "ROUTING_STRATEGY_COST",
              onExhausted: "ON_EXHAUSTED_FALL_THROUGH",
              active: true,
              candidates: [
                {
                  operatorId: uuid(id),
                  operatorName: like("North"),
                  priority: 1,
                  weight: 100,
                  price: { currencyCode: "EUR", nanos: "12500000" },
                },
              ],
            },
          ],
        },
      },
      async (api) => {
        const got = await api.rules.listRoutingRules({});
        expect(got.nextPageToken).toBe("");
        expect(got.rules).toMatchObject([
          {
            ruleId: "0190a8f0-0000-7000-8000-0000000000aa",
            accountId: "",
            prefix: "+44770",
            country: "GB",
            messageTypes: [],
            strategy: RoutingStrategy.FAILOVER,
            onExhausted: OnExhausted.FAIL,
            active: true,
            candidates: [{ operatorId: id, operatorName: "North", priority: 1, weight: 100 }],
          },
          {
            accountId: account,
            messageTypes: [MessageType.SMS],
            strategy: RoutingStrategy.COST,
            onExhausted: OnExhausted.FALL_THROUGH,
            candidates: [{ price: { currencyCode: "EUR", nanos: 12500000n } }],
          },
        ]);
        expect(got.rules[0]?.candidates[0]?.price).toBeUndefined();
      },
    ));
});
