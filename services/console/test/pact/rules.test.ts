import { Code } from "@connectrpc/connect";
import { FindingSeverity } from "@gen/operators/v1/routing_rule_pb.js";
import { MessageType, OnExhausted, RoutingStrategy } from "@gen/routing/v1/types_pb.js";
import { describe, expect, it } from "vitest";
import { errorInfo, failure, interaction, like, refused, regex, said, sentence } from "./kit.js";
import {
  account,
  accountRule,
  accountRuleId,
  etagOf,
  exist,
  globalRule,
  nobody,
  north,
  provider,
  requestId,
  ruleId,
  ruled,
  shownRule,
  south,
} from "./management.js";

const service = "trunkline.operators.v1.RoutingRuleService";
const both = [exist([north, south]), ruled(globalRule, accountRule)];
/** A rule that hands on what its operators cannot take. */
const longerRule = {
  ...globalRule,
  ruleId: "0190a8f0-0000-7000-8000-0000000000ac",
  prefix: "+447700",
  onExhausted: "ON_EXHAUSTED_FALL_THROUGH",
};
const filter = { operatorId: north.operatorId, prefix: "+447", country: "GB", search: "gb", pageSize: 1 };

const decoded = {
  ruleId,
  accountId: "",
  prefix: "+44770",
  country: "GB",
  messageTypes: [],
  strategy: RoutingStrategy.FAILOVER,
  onExhausted: OnExhausted.FAIL,
  active: true,
  candidates: [{ operatorId: north.operatorId, operatorName: "North", priority: 1, weight: 100 }],
  description: "Fixed numbers of the UK",
  version: 1n,
  etag: "an etag",
  createdBy: "somebody",
  updatedBy: "somebody else",
};

describe("the list of routing rules", () => {
  it("shows global rules first", () =>
    interaction(
      {
        provider,
        name: "the routing rules",
        states: both,
        procedure: `${service}/ListRoutingRules`,
        request: {},
        response: { rules: [shownRule(globalRule), shownRule(accountRule)] },
      },
      async (api) => {
        const got = await api.rules.listRoutingRules({});
        expect(got.nextPageToken).toBe("");
        expect(got.freshness).toBeUndefined();
        expect(got.rules).toMatchObject([
          decoded,
          {
            ruleId: accountRuleId,
            accountId: account,
            messageTypes: [MessageType.SMS],
            strategy: RoutingStrategy.COST,
            onExhausted: OnExhausted.FALL_THROUGH,
            candidates: [{ price: { currencyCode: "EUR", nanos: 12500000n } }],
            description: "",
          },
        ]);
        expect(got.rules[0]?.candidates[0]?.price).toBeUndefined();
      },
    ));

  it("is filtered and read in pages", () =>
    interaction(
      {
        provider,
        name: "the first page of the routing rules that a filter leaves",
        states: both,
        procedure: `${service}/ListRoutingRules`,
        request: filter,
        response: { rules: [shownRule(globalRule)], nextPageToken: regex(/^.{1,512}$/, "more") },
      },
      async (api) => {
        const got = await api.rules.listRoutingRules(filter);
        expect(got.rules).toMatchObject([{ ruleId }]);
        expect(got.nextPageToken).toBe("more");
      },
    ));

  it("is filtered by account", () =>
    interaction(
      {
        provider,
        name: "the routing rules of an account",
        states: both,
        procedure: `${service}/ListRoutingRules`,
        request: { accountId: account },
        response: { rules: [shownRule(accountRule)] },
      },
      async (api) => {
        const got = await api.rules.listRoutingRules({ accountId: account });
        expect(got.rules).toMatchObject([{ ruleId: accountRuleId, accountId: account }]);
      },
    ));
});

describe("one routing rule", () => {
  it("is shown", () =>
    interaction(
      {
        provider,
        name: "a routing rule",
        states: both,
        procedure: `${service}/GetRoutingRule`,
        request: { ruleId },
        response: { rule: shownRule(globalRule) },
      },
      async (api) => {
        expect((await api.rules.getRoutingRule({ ruleId })).rule).toMatchObject(decoded);
      },
    ));

  it("may not exist", () =>
    interaction(
      {
        provider,
        name: "a routing rule that does not exist",
        states: [],
        procedure: `${service}/GetRoutingRule`,
        request: { ruleId: nobody },
        status: 404,
        response: refused("not_found", errorInfo("NO_SUCH_RULE")),
      },
      async (api) => {
        const e = await failure(api.rules.getRoutingRule({ ruleId: nobody }));
        expect([e.code, e.rawMessage]).toEqual([Code.NotFound, sentence]);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "NO_SUCH_RULE" });
      },
    ));

  it("is changed in the fields that were edited, and warned of", () =>
    interaction(
      {
        provider,
        name: "a change of a routing rule after which no operator is left",
        states: both,
        procedure: `${service}/UpdateRoutingRule`,
        request: {
          rule: {
            ruleId,
            strategy: "ROUTING_STRATEGY_WEIGHTED",
            candidates: [{ operatorId: south.operatorId, priority: 2, weight: 70 }],
            etag: etagOf(ruleId),
          },
          updateMask: "strategy,candidates,description",
          requestId,
        },
        response: {
          rule: {
            ...shownRule(globalRule, "2"),
            strategy: "ROUTING_STRATEGY_WEIGHTED",
            candidates: [{ operatorId: south.operatorId, operatorName: like("South"), priority: 2, weight: 70 }],
            description: undefined,
          },
          warnings: [
            {
              severity: "FINDING_SEVERITY_WARNING",
              reason: "RULE_WITHOUT_OPERATOR",
              message: like(sentence),
              ruleIds: [ruleId],
              witness: regex(/^\+44770\d{4,10}$/, "+447700900123"),
            },
          ],
        },
      },
      async (api) => {
        const got = await api.rules.updateRoutingRule({
          rule: {
            ruleId,
            strategy: RoutingStrategy.WEIGHTED,
            candidates: [{ operatorId: south.operatorId, priority: 2, weight: 70 }],
            etag: "an etag",
          },
          updateMask: { paths: ["strategy", "candidates", "description"] },
          requestId,
        });
        expect(got.rule).toMatchObject({
          strategy: RoutingStrategy.WEIGHTED,
          candidates: [{ operatorId: south.operatorId, operatorName: "South", priority: 2, weight: 70 }],
          description: "",
          version: 2n,
        });
        expect(got.warnings).toMatchObject([{ reason: "RULE_WITHOUT_OPERATOR", ruleIds: [ruleId], witness: "+447700900123" }]);
      },
    ));

  it("is deleted", () =>
    interaction(
      {
        provider,
        name: "the end of a routing rule",
        states: both,
        procedure: `${service}/DeleteRoutingRule`,
        request: { ruleId, etag: etagOf(ruleId), requestId },
        response: {},
      },
      async (api) => {
        const got = await api.rules.deleteRoutingRule({ ruleId, etag: "an etag", requestId });
        expect(got.warnings).toEqual([]);
      },
    ));

  it("shows which rules would have nothing to fall to without it", () =>
    interaction(
      {
        provider,
        name: "the rehearsal of the end of a routing rule that another falls through to",
        states: [exist([north]), ruled(globalRule, longerRule)],
        procedure: `${service}/DeleteRoutingRule`,
        request: { ruleId, validateOnly: true },
        response: {
          warnings: [
            {
              severity: "FINDING_SEVERITY_WARNING",
              reason: "NOTHING_TO_FALL_TO",
              message: like(sentence),
              ruleIds: [longerRule.ruleId],
              witness: regex(/^\+447700[0-9]+$/, "+447700900123"),
            },
          ],
        },
      },
      async (api) => {
        const got = await api.rules.deleteRoutingRule({ ruleId, validateOnly: true });
        expect(got.warnings).toMatchObject([
          { severity: FindingSeverity.WARNING, reason: "NOTHING_TO_FALL_TO", message: sentence, ruleIds: [longerRule.ruleId], witness: "+447700900123" },
        ]);
      },
    ));
});
