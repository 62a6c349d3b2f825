import { Code } from "@connectrpc/connect";
import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb.js";
import { CacheResult, Rejection, RuleOutcome } from "@gen/routing/v1/routing_pb.js";
import { MessageType, OnExhausted, RoutingStrategy } from "@gen/routing/v1/types_pb.js";
import { describe, expect, it } from "vitest";
import { errorInfo, failure, int64, integer, interaction, like, refused, regex, said, sentence, uuid } from "./kit.js";
import { account, north, number, numberElsewhere, prefix, routed, ruleId, south, southIsLost } from "./world.js";

const provider = "routing-engine";
const question = { to: number, accountId: account, messageType: "MESSAGE_TYPE_SMS" };
const query = { to: number, accountId: account, messageType: MessageType.SMS };

const meta = {
  decisionId: uuid("0190a8f0-0000-7000-8000-0000000000dd"),
  configVersion: int64("2"),
  rulesVersion: int64("2"),
  algoVersion: integer(1),
  cache: regex(/^CACHE_RESULT_(HIT|MISS|BYPASS)$/, "CACHE_RESULT_MISS"),
};

const decision = {
  operatorId: south.operatorId,
  operatorName: like(south.name),
  host: like(south.host),
  port: integer(south.port),
  systemId: like(south.systemId),
  tpsLimit: integer(south.maxTps),
  strategy: "ROUTING_STRATEGY_PRIORITY",
  matchedPrefix: prefix,
  unitPrice: { currencyCode: "EUR", nanos: "12500000" },
  meta,
};

describe("the route tester", () => {
  it("shows the operator and those after it", () =>
    interaction(
      {
        provider,
        name: "the route of a number",
        states: routed,
        procedure: "trunkline.routing.v1.RoutingService/SelectOperator",
        request: question,
        response: {
          ...decision,
          alternates: [
            {
              operatorId: north.operatorId,
              operatorName: like(north.name),
              host: like(north.host),
              port: integer(north.port),
              systemId: like(north.systemId),
              tpsLimit: integer(north.maxTps),
              unitPrice: { currencyCode: "EUR", nanos: "9000000" },
            },
          ],
        },
      },
      async (api) => {
        const got = await api.routing.selectOperator(query);
        expect(got).toMatchObject({
          operatorId: south.operatorId,
          operatorName: south.name,
          host: south.host,
          port: south.port,
          systemId: south.systemId,
          tpsLimit: south.maxTps,
          strategy: RoutingStrategy.PRIORITY,
          matchedPrefix: prefix,
          unitPrice: { currencyCode: "EUR", nanos: 12500000n },
        });
        expect(got.alternates).toHaveLength(1);
        expect(got.alternates[0]).toMatchObject({
          operatorId: north.operatorId,
          operatorName: north.name,
          host: north.host,
          port: north.port,
          systemId: north.systemId,
          tpsLimit: north.maxTps,
          unitPrice: { currencyCode: "EUR", nanos: 9000000n },
        });
        expect(got.meta).toMatchObject({
          decisionId: "0190a8f0-0000-7000-8000-0000000000dd",
          configVersion: 2n,
          rulesVersion: 2n,
          algoVersion: 1,
          cache: CacheResult.MISS,
          healthUnknown: false,
        });
      },
    ));

  it("tells that a number has no route", () =>
    interaction(
      {
        provider,
        name: "the route of a number that has none",
        states: routed,
        procedure: "trunkline.routing.v1.RoutingService/SelectOperator",
        request: { ...question, to: numberElsewhere },
        status: 404,
        response: refused("not_found", errorInfo("NO_ROUTE")),
      },
      async (api) => {
        const e = await failure(api.routing.selectOperator({ ...query, to: numberElsewhere }));
        expect([e.code, e.rawMessage]).toEqual([Code.NotFound, sentence]);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "NO_ROUTE" });
      },
    ));

  it("shows why an operator was rejected", () =>
    interaction(
      {
        provider,
        name: "the reasons for a route",
        states: [...routed, southIsLost],
        procedure: "trunkline.routing.v1.RoutingService/ExplainRoute",
        request: { query: question },
        response: {
          decision: {
            operatorId: north.operatorId,
            operatorName: like(north.name),
            strategy: "ROUTING_STRATEGY_PRIORITY",
            matchedPrefix: prefix,
            unitPrice: { currencyCode: "EUR", nanos: "9000000" },
          },
          rules: [
            {
              ruleId,
              prefix,
              strategy: "ROUTING_STRATEGY_PRIORITY",
              onExhausted: "ON_EXHAUSTED_FAIL",
              outcome: "RULE_OUTCOME_SELECTED",
              candidates: [
                {
                  operatorId: north.operatorId,
                  operatorName: like(north.name),
                  rank: 1,
                  priority: 2,
                  weight: 100,
                  unitPrice: { currencyCode: "EUR", nanos: "9000000" },
                  bindState: "BIND_STATE_BOUND",
                  quality: "QUALITY_HEALTHY",
                },
                {
                  operatorId: south.operatorId,
                  operatorName: like(south.name),
                  rejection: "REJECTION_UNBOUND",
                  priority: 1,
                  weight: 100,
                  unitPrice: { currencyCode: "EUR", nanos: "12500000" },
                  bindState: "BIND_STATE_UNBOUND",
                  quality: "QUALITY_UNHEALTHY",
                },
              ],
            },
          ],
          meta,
        },
      },
      async (api) => {
        const got = await api.routing.explainRoute({ query });
        expect(got.result).toMatchObject({
          case: "decision",
          value: { operatorId: north.operatorId, operatorName: north.name, matchedPrefix: prefix, strategy: RoutingStrategy.PRIORITY },
        });
        expect(got.meta?.configVersion).toBe(2n);
        expect(got.rules).toHaveLength(1);
        expect(got.rules[0]).toMatchObject({
          ruleId,
          accountId: "",
          prefix,
          strategy: RoutingStrategy.PRIORITY,
          onExhausted: OnExhausted.FAIL,
          outcome: RuleOutcome.SELECTED,
          candidates: [
            {
              operatorId: north.operatorId,
              operatorName: north.name,
              rank: 1,
              rejection: Rejection.UNSPECIFIED,
              priority: 2,
              weight: 100,
              unitPrice: { nanos: 9000000n },
              bindState: BindState.BOUND,
              quality: Quality.HEALTHY,
            },
            {
              operatorId: south.operatorId,
              operatorName: south.name,
              rank: 0,
              rejection: Rejection.UNBOUND,
              bindState: BindState.UNBOUND,
              quality: Quality.UNHEALTHY,
            },
          ],
        });
      },
    ));
});
