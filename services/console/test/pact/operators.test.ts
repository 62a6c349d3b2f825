import { Code } from "@connectrpc/connect";
import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb.js";
import { BindType, EnforcementMode, OperatorStatus } from "@gen/operators/v1/operator_pb.js";
import { MessageType } from "@gen/routing/v1/types_pb.js";
import { describe, expect, it } from "vitest";
import { badRequest, errorInfo, failure, interaction, refused, regex, said, sentence, uuid } from "./kit.js";
import { exist, nobody, north, provider, reported, requestId, shown, south, stored } from "./management.js";

const service = "trunkline.operators.v1.OperatorService";
const both = exist([north, south]);

/** North as the console's clients decode it. */
const decoded = {
  ...north,
  bindType: BindType.TRANSCEIVER,
  messageTypes: [MessageType.SMS, MessageType.FLASH],
  tpsLimit: { maxTps: 100, burstMultiplier: 1.5, enforcementMode: EnforcementMode.HARD_REJECT },
  status: OperatorStatus.ACTIVE,
  hasCredentials: true,
  version: 1n,
  etag: "an etag",
  createTime: { seconds: 1795262400n, nanos: 0 },
  updateTime: { seconds: 1795264200n, nanos: 250_000_000 },
  createdBy: "somebody",
  updatedBy: "somebody else",
  backupOperatorId: "",
};

describe("the list of operators", () => {
  it("shows them by name", () =>
    interaction(
      {
        provider,
        name: "the operators",
        states: [both],
        procedure: `${service}/ListOperators`,
        request: {},
        response: {
          operators: [shown(north), shown(south)],
          health: [{ operatorId: north.operatorId }, { operatorId: south.operatorId }],
        },
      },
      async (api) => {
        const got = await api.operators.listOperators({});
        expect(got.nextPageToken).toBe("");
        expect(got.freshness).toBeUndefined();
        expect(got.operators).toMatchObject([
          decoded,
          {
            name: "South",
            systemType: "",
            bindType: BindType.TRANSMITTER,
            messageTypes: [MessageType.SMS],
            tpsLimit: { maxTps: 50, burstMultiplier: 2, enforcementMode: EnforcementMode.SOFT_THROTTLE },
            status: OperatorStatus.SUSPENDED,
            notes: "",
          },
        ]);
        expect(got.operators[0]?.deleteTime).toBeUndefined();
        expect(got.health).toMatchObject([
          { operatorId: north.operatorId, bindState: BindState.UNSPECIFIED, byHand: false },
          { operatorId: south.operatorId, bindState: BindState.UNSPECIFIED, byHand: false },
        ]);
      },
    ));

  it("is filtered by the state of sessions, and shows it", () =>
    interaction(
      {
        provider,
        name: "the operators without session",
        states: [both, reported(south, "BIND_STATE_BOUND", "BIND_STATE_UNBOUND")],
        procedure: `${service}/ListOperators`,
        request: { bindStates: ["BIND_STATE_UNBOUND", "BIND_STATE_FAILBACK"] },
        response: {
          operators: [shown(south)],
          health: [{ operatorId: south.operatorId, bindState: "BIND_STATE_UNBOUND", quality: "QUALITY_UNHEALTHY", version: "2" }],
        },
      },
      async (api) => {
        const got = await api.operators.listOperators({ bindStates: [BindState.UNBOUND, BindState.FAILBACK] });
        expect(got.operators).toMatchObject([{ operatorId: south.operatorId }]);
        expect(got.health).toMatchObject([
          { operatorId: south.operatorId, bindState: BindState.UNBOUND, quality: Quality.UNHEALTHY, version: 2n },
        ]);
      },
    ));

  it("is read in pages", () =>
    interaction(
      {
        provider,
        name: "the first page of the operators",
        states: [both],
        procedure: `${service}/ListOperators`,
        request: { pageSize: 1 },
        response: { operators: [shown(north)], nextPageToken: regex(/^.{1,512}$/, "more") },
      },
      async (api) => {
        const got = await api.operators.listOperators({ pageSize: 1 });
        expect(got.operators).toHaveLength(1);
        expect(got.nextPageToken).toBe("more");
      },
    ));

  it("is searched", () =>
    interaction(
      {
        provider,
        name: "the suspended operators with a text in name, host or system_id",
        states: [both],
        procedure: `${service}/ListOperators`,
        request: { search: "OUTH", statuses: ["OPERATOR_STATUS_INACTIVE", "OPERATOR_STATUS_SUSPENDED"], showDeleted: true },
        response: { operators: [shown(south)] },
      },
      async (api) => {
        const got = await api.operators.listOperators({
          search: "OUTH",
          statuses: [OperatorStatus.INACTIVE, OperatorStatus.SUSPENDED],
          showDeleted: true,
        });
        expect(got.operators).toMatchObject([{ operatorId: south.operatorId, status: OperatorStatus.SUSPENDED }]);
      },
    ));
});

describe("one operator", () => {
  it("is shown", () =>
    interaction(
      {
        provider,
        name: "an operator",
        states: [both],
        procedure: `${service}/GetOperator`,
        request: { operatorId: north.operatorId },
        response: { operator: shown(north) },
      },
      async (api) => {
        const got = await api.operators.getOperator({ operatorId: north.operatorId });
        expect(got.operator).toMatchObject(decoded);
      },
    ));

  it("may not exist", () =>
    interaction(
      {
        provider,
        name: "an operator that does not exist",
        states: [],
        procedure: `${service}/GetOperator`,
        request: { operatorId: nobody },
        status: 404,
        response: refused("not_found", errorInfo("NO_SUCH_OPERATOR")),
      },
      async (api) => {
        const e = await failure(api.operators.getOperator({ operatorId: nobody }));
        expect([e.code, e.rawMessage]).toEqual([Code.NotFound, sentence]);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "NO_SUCH_OPERATOR" });
      },
    ));
});

const form = { name: "North", host: "smsc.north.example", port: 2775, systemId: "north", tpsLimit: { maxTps: 100 } };

/** The host is none, and nothing says how fast messages may be sent. */
const wrong = { name: "North", host: "no host", port: 2775, systemId: "north" };

describe("a new operator", () => {
  it("is INACTIVE and shows no password", () =>
    interaction(
      {
        provider,
        name: "a new operator",
        states: [],
        procedure: `${service}/CreateOperator`,
        request: { operator: form, password: "secret", requestId },
        response: {
          operator: {
            ...form,
            operatorId: uuid(north.operatorId),
            bindType: "BIND_TYPE_TRANSCEIVER",
            messageTypes: ["MESSAGE_TYPE_SMS"],
            tpsLimit: { maxTps: 100, burstMultiplier: 1.5, enforcementMode: "ENFORCEMENT_MODE_HARD_REJECT" },
            status: "OPERATOR_STATUS_INACTIVE",
            hasCredentials: true,
            version: "1",
            ...stored,
          },
        },
      },
      async (api) => {
        const got = await api.operators.createOperator({ operator: form, password: "secret", requestId });
        expect(got.operator).toMatchObject({
          operatorId: north.operatorId,
          name: "North",
          bindType: BindType.TRANSCEIVER,
          messageTypes: [MessageType.SMS],
          tpsLimit: { maxTps: 100, burstMultiplier: 1.5, enforcementMode: EnforcementMode.HARD_REJECT },
          status: OperatorStatus.INACTIVE,
          hasCredentials: true,
          version: 1n,
          etag: "an etag",
        });
      },
    ));

  it("cannot have the name of another", () =>
    interaction(
      {
        provider,
        name: "a new operator with the name of another",
        states: [exist([north])],
        procedure: `${service}/CreateOperator`,
        request: { operator: { ...form, host: "other.example" } },
        status: 409,
        response: refused("already_exists", errorInfo("DUPLICATE_OPERATOR", { operator_id: north.operatorId })),
      },
      async (api) => {
        const e = await failure(api.operators.createOperator({ operator: { ...form, host: "other.example" } }));
        expect([e.code, e.rawMessage]).toEqual([Code.AlreadyExists, sentence]);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({
          reason: "DUPLICATE_OPERATOR",
          metadata: { operator_id: north.operatorId },
        });
      },
    ));

  it("is checked field by field", () =>
    interaction(
      {
        provider,
        name: "a new operator with fields that cannot be taken",
        states: [],
        procedure: `${service}/CreateOperator`,
        request: { operator: wrong },
        status: 400,
        response: refused(
          "invalid_argument",
          errorInfo("VALIDATION_FAILED"),
          // Some fields are named within the request, some within the operator.
          badRequest(
            { field: regex(/^(operator\.)?host$/, "host"), example: "host" },
            { field: regex(/^(operator\.)?tpsLimit\.maxTps$/, "tpsLimit.maxTps"), example: "tpsLimit.maxTps" },
          ),
        ),
      },
      async (api) => {
        const e = await failure(api.operators.createOperator({ operator: wrong }));
        expect([e.code, e.rawMessage]).toEqual([Code.InvalidArgument, sentence]);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "VALIDATION_FAILED" });
        expect(said(e, "google.rpc.BadRequest")).toEqual({
          fieldViolations: [
            { field: "host", description: "what is accepted" },
            { field: "tpsLimit.maxTps", description: "what is accepted" },
          ],
        });
      },
    ));
});
