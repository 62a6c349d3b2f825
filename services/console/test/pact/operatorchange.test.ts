import { Code } from "@connectrpc/connect";
import { OperatorStatus } from "@gen/operators/v1/operator_pb.js";
import { describe, expect, it } from "vitest";
import { errorInfo, failure, interaction, like, refused, regex, said, sentence, timestamp } from "./kit.js";
import { etagOf, exist, globalRule, north, provider, requestId, ruleId, ruled, shown } from "./management.js";

const service = "trunkline.operators.v1.OperatorService";
const { operatorId } = north;
const inactive = { ...north, status: "OPERATOR_STATUS_INACTIVE" };

describe("an operator", () => {
  it("is changed in the fields that were edited", () =>
    interaction(
      {
        provider,
        name: "a change of an operator",
        states: [exist([north])],
        procedure: `${service}/UpdateOperator`,
        request: {
          operator: { operatorId, host: "smsc2.north.example", tpsLimit: { maxTps: 200 }, etag: etagOf(operatorId) },
          updateMask: "host,tpsLimit.maxTps,notes",
          requestId,
        },
        response: {
          operator: shown(
            { ...north, host: "smsc2.north.example", tpsLimit: { ...north.tpsLimit, maxTps: 200 }, notes: undefined },
            "2",
          ),
        },
      },
      async (api) => {
        const got = await api.operators.updateOperator({
          operator: { operatorId, host: "smsc2.north.example", tpsLimit: { maxTps: 200 }, etag: "an etag" },
          updateMask: { paths: ["host", "tps_limit.max_tps", "notes"] },
          requestId,
        });
        expect(got.operator).toMatchObject({
          host: "smsc2.north.example",
          tpsLimit: { maxTps: 200, burstMultiplier: 1.5 },
          notes: "",
          version: 2n,
          updatedBy: "somebody else",
        });
        expect(got.warnings).toEqual([]);
      },
    ));

  it("is not changed when somebody else was faster", () =>
    interaction(
      {
        provider,
        name: "a change of an operator that another change came before",
        states: [exist([north])],
        procedure: `${service}/UpdateOperator`,
        request: { operator: { operatorId, host: "smsc2.north.example", etag: "another etag" }, updateMask: "host" },
        status: 409,
        response: refused("aborted", errorInfo("ETAG_MISMATCH")),
      },
      async (api) => {
        const e = await failure(
          api.operators.updateOperator({
            operator: { operatorId, host: "smsc2.north.example", etag: "another etag" },
            updateMask: { paths: ["host"] },
          }),
        );
        expect([e.code, e.rawMessage]).toEqual([Code.Aborted, sentence]);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "ETAG_MISMATCH" });
      },
    ));

  it("is activated", () =>
    interaction(
      {
        provider,
        name: "the activation of an operator",
        states: [exist([inactive])],
        procedure: `${service}/ActivateOperator`,
        request: { operatorId, etag: etagOf(operatorId), requestId },
        response: { operator: shown(north, "2") },
      },
      async (api) => {
        const got = await api.operators.activateOperator({ operatorId, etag: "an etag", requestId });
        expect(got.operator).toMatchObject({ operatorId, status: OperatorStatus.ACTIVE, version: 2n });
        expect(got.warnings).toEqual([]);
      },
    ));

  it("is not activated without a password", () =>
    interaction(
      {
        provider,
        name: "the activation of an operator that has no password",
        states: [exist([inactive], "")],
        procedure: `${service}/ActivateOperator`,
        request: { operatorId },
        status: 400,
        response: refused("failed_precondition", errorInfo("NO_CREDENTIALS")),
      },
      async (api) => {
        const e = await failure(api.operators.activateOperator({ operatorId }));
        expect([e.code, e.rawMessage]).toEqual([Code.FailedPrecondition, sentence]);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "NO_CREDENTIALS" });
      },
    ));

  it("shows what its suspension would leave behind", () =>
    interaction(
      {
        provider,
        name: "the rehearsal of a suspension that leaves a rule without operator",
        states: [exist([north]), ruled(globalRule)],
        procedure: `${service}/SuspendOperator`,
        request: { operatorId, etag: etagOf(operatorId), validateOnly: true },
        response: {
          operator: shown({ ...north, status: "OPERATOR_STATUS_SUSPENDED" }, "2"),
          warnings: [
            { reason: "RULE_WITHOUT_OPERATOR", message: like(sentence), ruleId, witness: regex(/^\+44770\d{4,10}$/, "+447700900123") },
          ],
        },
      },
      async (api) => {
        const got = await api.operators.suspendOperator({ operatorId, etag: "an etag", validateOnly: true });
        expect(got.operator?.status).toBe(OperatorStatus.SUSPENDED);
        expect(got.warnings).toMatchObject([
          { reason: "RULE_WITHOUT_OPERATOR", message: sentence, ruleId, witness: "+447700900123" },
        ]);
      },
    ));

  it("is deactivated", () =>
    interaction(
      {
        provider,
        name: "the deactivation of an operator",
        states: [exist([north])],
        procedure: `${service}/DeactivateOperator`,
        request: { operatorId, etag: etagOf(operatorId), requestId },
        response: { operator: shown(inactive, "2") },
      },
      async (api) => {
        const got = await api.operators.deactivateOperator({ operatorId, etag: "an etag", requestId });
        expect(got.operator).toMatchObject({ status: OperatorStatus.INACTIVE, version: 2n });
      },
    ));

  it("is deleted and stays readable", () =>
    interaction(
      {
        provider,
        name: "the end of an operator",
        states: [exist([north])],
        procedure: `${service}/DeleteOperator`,
        request: { operatorId, etag: etagOf(operatorId), requestId },
        response: {
          operator: { ...shown(north, "2"), hasCredentials: undefined, deleteTime: timestamp("2026-11-21T12:30:00Z") },
        },
      },
      async (api) => {
        const got = await api.operators.deleteOperator({ operatorId, etag: "an etag", requestId });
        expect(got.operator).toMatchObject({ name: "North", hasCredentials: false, deleteTime: { seconds: 1795264200n } });
      },
    ));

  it("gets another password", () =>
    interaction(
      {
        provider,
        name: "another password for an operator",
        states: [exist([north], "")],
        procedure: `${service}/RotateCredentials`,
        request: { operatorId, password: "another", etag: etagOf(operatorId), requestId },
        response: { operator: shown(north, "2") },
      },
      async (api) => {
        const got = await api.operators.rotateCredentials({ operatorId, password: "another", etag: "an etag", requestId });
        expect(got.operator).toMatchObject({ hasCredentials: true, version: 2n });
      },
    ));
});
