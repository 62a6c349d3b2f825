import { Code } from "@connectrpc/connect";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { CacheResult, Outcome } from "@gen/routing/v1/routing_pb.js";
import { MessageType } from "@gen/routing/v1/types_pb.js";
import { describe, expect, it } from "vitest";
import { account, both, calledAs, listing, logged, nextPage, number, operatorId, outcomes, provider, read, releaseId, routed, ruleId, shown, unrouted } from "./decisionlog.js";
import { badRequest, errorInfo, failure, interaction, like, refused, said } from "./kit.js";

const from = "2026-11-22T11:00:00Z";
const to = "2026-11-22T12:00:00Z";
const moment = (text: string) => timestampFromDate(new Date(text));

describe("decisions", () => {
  it("are listed newest first, by all that the filters choose", () =>
    interaction(
      {
        provider,
        name: "the decisions of a time for an account and a prefix",
        states: [both],
        procedure: listing,
        request: { pageSize: 200, filter: { fromTime: from, toTime: to, accountId: account, prefix: "+447" } },
        response: { decisions: [shown(unrouted), { ...shown(routed), outcomes }] },
      },
      async (api) => {
        const { decisions, nextPageToken } = await api.decisions.listDecisions({
          pageSize: 200,
          filter: { fromTime: moment(from), toTime: moment(to), accountId: account, prefix: "+447" },
        });
        expect(decisions).toMatchObject([
          { decisionId: unrouted.decisionId, operatorId: "", failure: "NO_ROUTE", messageType: MessageType.FLASH, matchedPrefix: "", outcomes: [] },
          { decisionId: routed.decisionId, operatorId, failure: "", outcomes: [{ outcome: Outcome.REJECTED }, { outcome: Outcome.DELIVERED }] },
        ]);
        expect(nextPageToken).toBe("");
      },
    ));

  it("that failed are listed apart", () =>
    interaction(
      {
        provider,
        name: "the decisions of a time without operator",
        states: [both],
        procedure: listing,
        request: { pageSize: 200, filter: { fromTime: from, failed: true } },
        response: { decisions: [shown(unrouted)] },
      },
      async (api) => {
        const { decisions } = await api.decisions.listDecisions({ pageSize: 200, filter: { fromTime: moment(from), failed: true } });
        expect(decisions.map(({ failure: reason }) => reason)).toEqual(["NO_ROUTE"]);
      },
    ));

  it("of one operator are listed apart", () =>
    interaction(
      {
        provider,
        name: "the decisions of a time for an operator",
        states: [both],
        procedure: listing,
        request: { pageSize: 200, filter: { fromTime: from, operatorId } },
        response: { decisions: [shown(routed)] },
      },
      async (api) => {
        const { decisions } = await api.decisions.listDecisions({ pageSize: 200, filter: { fromTime: moment(from), operatorId } });
        expect(decisions.map(({ decisionId }) => decisionId)).toEqual([routed.decisionId]);
      },
    ));

  it("are shown one by one, with everything that is known", () =>
    interaction(
      {
        provider,
        name: "one decision",
        states: [both],
        procedure: listing,
        request: { decisionId: routed.decisionId, pageSize: 1 },
        response: { decisions: [{ ...shown(routed), outcomes }] },
      },
      async (api) => {
        const { decisions } = await api.decisions.listDecisions({ decisionId: routed.decisionId, pageSize: 1 });
        expect(decisions).toMatchObject([
          {
            decideTime: { seconds: 1795348690n, nanos: 250_000_000 },
            accountId: account,
            messageType: MessageType.SMS,
            matchedPrefix: "+4479",
            ruleId,
            unitPrice: { currencyCode: "EUR", nanos: 12_500_000n },
            latency: { seconds: 0n, nanos: 850_000 },
            numberPrefix: "+447911",
            numberDigits: 12,
            numberHash: "ab".repeat(32),
            hashKeyId: "0c1d2e3f",
            meta: { releaseId, configVersion: 7n, rulesVersion: 5n, algoVersion: 1, cache: CacheResult.HIT, healthUnknown: true },
            outcomes: [
              { reportTime: { seconds: 1795348691n }, operatorId, outcome: Outcome.REJECTED, commandStatus: 88, segments: 0 },
              { reportTime: { seconds: 1795348694n }, operatorId, outcome: Outcome.DELIVERED, commandStatus: 0, segments: 2 },
            ],
          },
        ]);
      },
    ));

  it("that the log does not hold are none", () =>
    interaction(
      { provider, name: "a decision that is not in the log", states: [logged([unrouted])], procedure: listing, request: { decisionId: routed.decisionId, pageSize: 1 }, response: {} },
      async (api) => {
        expect((await api.decisions.listDecisions({ decisionId: routed.decisionId, pageSize: 1 })).decisions).toEqual([]);
      },
    ));

  it("begin with the last one ever, in pages", () =>
    interaction(
      { provider, name: "the last decision", states: [both], procedure: listing, request: { pageSize: 1 }, response: { decisions: [shown(unrouted)], nextPageToken: like("where to go on") } },
      async (api) => {
        const { decisions, nextPageToken } = await api.decisions.listDecisions({ pageSize: 1 });
        expect(decisions).toMatchObject([{ decideTime: { seconds: 1795348745n } }]);
        expect(nextPageToken).toBe("where to go on");
      },
    ));

  it("go on where the page before ended", () =>
    interaction(
      {
        provider,
        name: "the second page of decisions",
        states: [both, read({ pageSize: 1, filter: { fromTime: from } })],
        procedure: listing,
        request: { pageSize: 1, pageToken: nextPage, filter: { fromTime: from } },
        response: { decisions: [shown(routed)] },
      },
      async (api) => {
        const { decisions, nextPageToken } = await api.decisions.listDecisions({ pageSize: 1, pageToken: "where to go on", filter: { fromTime: moment(from) } });
        expect(decisions.map(({ decisionId }) => decisionId)).toEqual([routed.decisionId]);
        expect(nextPageToken).toBe("");
      },
    ));

  it("do not go on in another list", () =>
    interaction(
      {
        provider,
        name: "the second page of decisions by another filter",
        states: [both, read({ pageSize: 1, filter: { fromTime: from } })],
        procedure: listing,
        request: { pageSize: 1, pageToken: nextPage, filter: { fromTime: from, accountId: account } },
        status: 400,
        response: refused("invalid_argument", errorInfo("INVALID_PAGE_TOKEN"), badRequest({ field: "pageToken", example: "pageToken" })),
      },
      async (api) => {
        const e = await failure(api.decisions.listDecisions({ pageSize: 1, pageToken: "where to go on", filter: { fromTime: moment(from), accountId: account } }));
        expect(e.code).toBe(Code.InvalidArgument);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "INVALID_PAGE_TOKEN" });
        expect(said(e, "google.rpc.BadRequest")).toMatchObject({ fieldViolations: [{ field: "pageToken" }] });
      },
    ));
});

describe("decisions about a number", () => {
  it("are found by an admin", () =>
    interaction(
      { provider, name: "a search for a number", states: [both], procedure: listing, request: { number, pageSize: 500 }, response: { decisions: [shown(unrouted), shown(routed)] } },
      async (api) => {
        const { decisions } = await api.decisions.listDecisions({ number, pageSize: 500 });
        expect(decisions.map(({ decisionId }) => decisionId)).toEqual([unrouted.decisionId, routed.decisionId]);
      },
    ));

  it("are none where there are none", () =>
    interaction(
      { provider, name: "a search for another number", states: [both], procedure: listing, request: { number: "+447911123457", pageSize: 500 }, response: {} },
      async (api) => {
        expect((await api.decisions.listDecisions({ number: "+447911123457", pageSize: 500 })).decisions).toEqual([]);
      },
    ));

  it("are not for viewers", () =>
    interaction(
      {
        provider,
        name: "a search for a number by a viewer",
        states: [both, calledAs("ROLE_VIEWER")],
        procedure: listing,
        request: { number, pageSize: 500 },
        status: 403,
        response: refused("permission_denied", errorInfo("ROLE_TOO_LOW", { needed_role: "admin", role: "viewer" })),
      },
      async (api) => {
        const e = await failure(api.decisions.listDecisions({ number, pageSize: 500 }));
        expect(e.code).toBe(Code.PermissionDenied);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "ROLE_TOO_LOW", metadata: { needed_role: "admin" } });
      },
    ));
});
