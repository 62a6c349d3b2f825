import { Code } from "@connectrpc/connect";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { DecisionGroup } from "@gen/routing/v1/decision_pb.js";
import { Outcome } from "@gen/routing/v1/routing_pb.js";
import { describe, expect, it } from "vitest";
import { both, calledAs, clock, duration, operatorId, provider, summing } from "./decisionlog.js";
import { badRequest, errorInfo, failure, interaction, refused, said } from "./kit.js";

const from = "2026-11-22T11:00:00Z";
const to = "2026-11-22T12:00:00Z";
const moment = (text: string) => timestampFromDate(new Date(text));
const time = { fromTime: from, toTime: to };
const asked = { fromTime: moment(from), toTime: moment(to) };
const minute = { seconds: 60n };

describe("sums of decisions", () => {
  it("tell volume, failures, cost, success and time by interval", () =>
    interaction(
      {
        provider,
        name: "the sums of an hour by minute",
        states: [both, calledAs("ROLE_VIEWER")],
        procedure: summing,
        request: { filter: time, step: "60s" },
        response: {
          summaries: [
            {
              startTime: "2026-11-22T11:58:00Z",
              decisionCount: "1",
              costs: [{ currencyCode: "EUR", nanos: "12500000" }],
              outcomes: [{ outcome: "OUTCOME_DELIVERED", count: "1" }],
              latencyP95: duration("0.001s"),
            },
            { startTime: "2026-11-22T11:59:00Z", decisionCount: "1", failedCount: "1", latencyP95: duration("0.005s") },
          ],
        },
      },
      async (api) => {
        const { summaries } = await api.decisions.summarizeDecisions({ filter: asked, step: minute });
        expect(summaries).toMatchObject([
          {
            startTime: { seconds: 1795348680n },
            group: "",
            decisionCount: 1n,
            failedCount: 0n,
            costs: [{ currencyCode: "EUR", nanos: 12_500_000n }],
            outcomes: [{ outcome: Outcome.DELIVERED, count: 1n }],
            latencyP95: { nanos: 1_000_000 },
          },
          { startTime: { seconds: 1795348740n }, decisionCount: 1n, failedCount: 1n, costs: [], outcomes: [], latencyP95: { nanos: 5_000_000 } },
        ]);
      },
    ));

  it("tell operators apart, and those without one", () =>
    interaction(
      {
        provider,
        name: "the sums of an hour by operator",
        states: [both],
        procedure: summing,
        request: { filter: time, step: "3600s", group: "DECISION_GROUP_OPERATOR" },
        response: {
          summaries: [
            { startTime: from, decisionCount: "1", failedCount: "1" },
            { startTime: from, group: operatorId, decisionCount: "1" },
          ],
        },
      },
      async (api) => {
        const { summaries } = await api.decisions.summarizeDecisions({ filter: asked, step: { seconds: 3600n }, group: DecisionGroup.OPERATOR });
        expect(summaries.map(({ group, decisionCount }) => [group, decisionCount])).toEqual([["", 1n], [operatorId, 1n]]);
      },
    ));

  it("tell why there was no operator", () =>
    interaction(
      {
        provider,
        name: "the sums of an hour by reason",
        states: [both],
        procedure: summing,
        request: { filter: time, step: "60s", group: "DECISION_GROUP_FAILURE" },
        response: { summaries: [{ startTime: "2026-11-22T11:59:00Z", group: "NO_ROUTE", decisionCount: "1" }] },
      },
      async (api) => {
        const { summaries } = await api.decisions.summarizeDecisions({ filter: asked, step: minute, group: DecisionGroup.FAILURE });
        expect(summaries.map(({ group, decisionCount }) => [group, decisionCount])).toEqual([["NO_ROUTE", 1n]]);
      },
    ));

  it("are those of the last hour unless a time is named", () =>
    interaction(
      {
        provider,
        name: "the sums of the last hour",
        states: [both, clock("2026-11-22T12:58:30Z")],
        procedure: summing,
        request: { step: "3600s", group: "DECISION_GROUP_OPERATOR" },
        response: { summaries: [{ startTime: from, decisionCount: "1", failedCount: "1" }] },
      },
      async (api) => {
        const { summaries } = await api.decisions.summarizeDecisions({ step: { seconds: 3600n }, group: DecisionGroup.OPERATOR });
        expect(summaries.map(({ group, decisionCount }) => [group, decisionCount])).toEqual([["", 1n]]);
      },
    ));

  it("are none where nothing was decided", () =>
    interaction(
      { provider, name: "the sums of an empty log", states: [], procedure: summing, request: { filter: time, step: "60s" }, response: {} },
      async (api) => {
        expect((await api.decisions.summarizeDecisions({ filter: asked, step: minute })).summaries).toEqual([]);
      },
    ));

  it("are refused for too many intervals", () =>
    interaction(
      {
        provider,
        name: "the sums of an hour by second",
        states: [],
        procedure: summing,
        request: { filter: time, step: "1s" },
        status: 400,
        response: refused("invalid_argument", errorInfo("VALIDATION_FAILED"), badRequest({ field: "step", example: "step" })),
      },
      async (api) => {
        const e = await failure(api.decisions.summarizeDecisions({ filter: asked, step: { seconds: 1n } }));
        expect(e.code).toBe(Code.InvalidArgument);
        expect(said(e, "google.rpc.BadRequest")).toMatchObject({ fieldViolations: [{ field: "step" }] });
      },
    ));
});
