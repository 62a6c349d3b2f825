import { create, toBinary } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { Code } from "@connectrpc/connect";
import { FindingSeverity, RuleConflictSchema } from "@gen/operators/v1/routing_rule_pb.js";
import { MessageType, OnExhausted, RoutingStrategy } from "@gen/routing/v1/types_pb.js";
import { describe, expect, it } from "vitest";
import { detail, errorInfo, failure, interaction, like, refused, regex, said, sentence, uuid } from "./kit.js";
import { accountRule, accountRuleId, exist, globalRule, north, provider, requestId, ruleId, ruled, stored } from "./management.js";

const service = "trunkline.operators.v1.RoutingRuleService";
const { operatorId } = north;
const witness = regex(/^\+44770\d{4,10}$/, "+447700900123");

/** By cost, although the operator has no price. */
const unpriced = { ...globalRule, messageTypes: ["MESSAGE_TYPE_SMS"], strategy: "ROUTING_STRATEGY_COST" };

const file = new TextEncoder().encode(
  "account,prefix,country,message_types,strategy,on_exhausted,operator,priority,weight,price,currency\n" +
    ",+44770,GB,SMS,COST,FAIL,Nobody,1,100,0.0125,EUR\n",
);

const form = {
  prefix: "+44770",
  country: "GB",
  strategy: "ROUTING_STRATEGY_PRIORITY",
  active: true,
  candidates: [{ operatorId, priority: 1, weight: 0, price: { currencyCode: "EUR", nanos: "12500000" } }],
};

/** The same for the console's clients. */
const rule = {
  ...form,
  strategy: RoutingStrategy.PRIORITY,
  candidates: [{ operatorId, priority: 1, weight: 0, price: { currencyCode: "EUR", nanos: 12500000n } }],
};

const noRate = { severity: "FINDING_SEVERITY_ERROR", reason: "NO_RATE", message: like(sentence), witness, operatorId };

describe("a new routing rule", () => {
  it("is stored", () =>
    interaction(
      {
        provider,
        name: "a new routing rule",
        states: [exist([north])],
        procedure: `${service}/CreateRoutingRule`,
        request: { rule: form, requestId },
        response: {
          rule: {
            ...form,
            ruleId: uuid(ruleId),
            onExhausted: "ON_EXHAUSTED_FAIL",
            candidates: [{ ...form.candidates[0], operatorName: like("North") }],
            version: "1",
            ...stored,
          },
        },
      },
      async (api) => {
        const got = await api.rules.createRoutingRule({ rule, requestId });
        expect(got.rule).toMatchObject({
          ruleId,
          strategy: RoutingStrategy.PRIORITY,
          onExhausted: OnExhausted.FAIL,
          candidates: [{ operatorName: "North", weight: 0, price: { currencyCode: "EUR", nanos: 12500000n } }],
          version: 1n,
          etag: "an etag",
        });
        expect(got.warnings).toEqual([]);
      },
    ));

  it("cannot take the place of another", () =>
    interaction(
      {
        provider,
        name: "a new routing rule in the place of another",
        states: [exist([north]), ruled(globalRule)],
        procedure: `${service}/CreateRoutingRule`,
        request: { rule: form },
        status: 409,
        response: refused("already_exists", errorInfo("DUPLICATE_RULE", { rule_id: ruleId })),
      },
      async (api) => {
        const e = await failure(api.rules.createRoutingRule({ rule }));
        expect([e.code, e.rawMessage]).toEqual([Code.AlreadyExists, sentence]);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "DUPLICATE_RULE", metadata: { rule_id: ruleId } });
      },
    ));

  it("is refused with every conflict, and a number that shows it", () => {
    const conflict = create(RuleConflictSchema, {
      findings: [
        { severity: FindingSeverity.ERROR, reason: "NO_RATE", message: sentence, ruleIds: [""], witness: "+447700900123", operatorId },
      ],
    });
    const both = { prefix: "+44770", active: true, candidates: [{ operatorId }] };
    return interaction(
      {
        provider,
        name: "a new routing rule that conflicts",
        states: [exist([north])],
        procedure: `${service}/CreateRoutingRule`,
        request: { rule: { ...both, messageTypes: ["MESSAGE_TYPE_SMS"], strategy: "ROUTING_STRATEGY_COST" } },
        status: 400,
        response: refused(
          "failed_precondition",
          errorInfo("RULE_CONFLICT"),
          detail(
            "trunkline.operators.v1.RuleConflict",
            // The new rule has no id that anybody could look up.
            { findings: [{ ...noRate, ruleIds: [""] }] },
            toBinary(RuleConflictSchema, conflict),
          ),
        ),
      },
      async (api) => {
        const e = await failure(
          api.rules.createRoutingRule({ rule: { ...both, messageTypes: [MessageType.SMS], strategy: RoutingStrategy.COST } }),
        );
        expect([e.code, e.rawMessage]).toEqual([Code.FailedPrecondition, sentence]);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "RULE_CONFLICT" });
        expect(e.findDetails(RuleConflictSchema)).toEqual([conflict]);
      },
    );
  });
});

describe("the check of all routing rules", () => {
  it("tells every finding", () =>
    interaction(
      {
        provider,
        name: "a check of routing rules of which one conflicts",
        states: [exist([north]), ruled(unpriced, accountRule)],
        procedure: `${service}/CheckRoutingRules`,
        request: {},
        response: {
          findings: [
            { ...noRate, ruleIds: [ruleId] },
            {
              severity: "FINDING_SEVERITY_WARNING",
              reason: "NOTHING_TO_FALL_TO",
              message: like(sentence),
              ruleIds: [accountRuleId],
              witness,
            },
          ],
          errorCount: "1",
          warningCount: "1",
          ruleCount: "2",
        },
      },
      async (api) => {
        const got = await api.rules.checkRoutingRules({});
        expect(got).toMatchObject({ errorCount: 1n, warningCount: 1n, ruleCount: 2n, badLines: [], badLineCount: 0n });
        const number = "+447700900123";
        expect(got.findings).toMatchObject([
          { severity: FindingSeverity.ERROR, reason: "NO_RATE", message: sentence, ruleIds: [ruleId], witness: number, operatorId },
          { severity: FindingSeverity.WARNING, reason: "NOTHING_TO_FALL_TO", ruleIds: [accountRuleId], witness: number, operatorId: "" },
        ]);
      },
    ));

  it("reads a file on top of them", () =>
    interaction(
      {
        provider,
        name: "a check of a file of routing rules with a line that cannot be taken",
        states: [exist([north])],
        procedure: `${service}/CheckRoutingRules`,
        request: { csv: base64Encode(file) },
        response: { badLines: [{ line: "2", column: "operator", message: like(sentence) }], badLineCount: "1" },
      },
      async (api) => {
        const got = await api.rules.checkRoutingRules({ csv: file });
        expect(got.badLines).toMatchObject([{ line: 2n, column: "operator", message: sentence }]);
        expect(got.badLineCount).toBe(1n);
      },
    ));
});
