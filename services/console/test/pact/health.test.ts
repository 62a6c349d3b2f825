import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb.js";
import { describe, expect, it } from "vitest";
import { interaction, like, regex, timestamp, uuid } from "./kit.js";
import { exist, north, provider, reported } from "./management.js";

const service = "trunkline.operators.v1.OperatorService";
const { operatorId } = north;
const lost = [exist([north]), reported(north, "BIND_STATE_BOUND", "BIND_STATE_UNBOUND")];

describe("the health of an operator", () => {
  it("is shown", () =>
    interaction(
      {
        provider,
        name: "the health of an operator without session",
        states: lost,
        procedure: `${service}/GetOperatorHealth`,
        request: { operatorId },
        response: {
          health: {
            operatorId,
            bindState: "BIND_STATE_UNBOUND",
            quality: "QUALITY_UNHEALTHY",
            version: "2",
            changeTime: timestamp("2026-11-21T12:00:00Z"),
            observeTime: timestamp("2026-11-21T12:00:10Z"),
          },
        },
      },
      async (api) => {
        const got = await api.operators.getOperatorHealth({ operatorId });
        expect(got.health).toMatchObject({
          operatorId,
          bindState: BindState.UNBOUND,
          quality: Quality.UNHEALTHY,
          throttled: false,
          version: 2n,
          changeTime: { seconds: 1795262400n },
          observeTime: { seconds: 1795262410n },
        });
      },
    ));

  it("may be what a neighbour said", () =>
    interaction(
      {
        provider,
        name: "the health of an operator of which a neighbour said UNBOUND",
        states: [
          exist([north]),
          reported(north, "BIND_STATE_BOUND"),
          { name: "a neighbour said UNBOUND of an operator", parameters: { operatorId } },
        ],
        procedure: `${service}/GetOperatorHealth`,
        request: { operatorId },
        response: { health: { operatorId, bindState: "BIND_STATE_UNBOUND", quality: "QUALITY_UNHEALTHY", byHand: true } },
      },
      async (api) => {
        const got = await api.operators.getOperatorHealth({ operatorId });
        expect(got.health).toMatchObject({ bindState: BindState.UNBOUND, quality: Quality.UNHEALTHY, byHand: true });
      },
    ));

  it("is not known before the first report", () =>
    interaction(
      {
        provider,
        name: "the health of an operator of which nothing was reported",
        states: [exist([north])],
        procedure: `${service}/GetOperatorHealth`,
        request: { operatorId },
        response: { health: { operatorId } },
      },
      async (api) => {
        const got = await api.operators.getOperatorHealth({ operatorId });
        expect(got.health).toMatchObject({ bindState: BindState.UNSPECIFIED, quality: Quality.UNSPECIFIED, version: 0n });
        expect(got.health?.observeTime).toBeUndefined();
      },
    ));

  it("has a history, newest first", () =>
    interaction(
      {
        provider,
        name: "the newest change of the health of an operator",
        states: lost,
        procedure: `${service}/ListHealthTransitions`,
        request: { operatorId, startTime: "2026-01-01T00:00:00Z", pageSize: 1 },
        response: {
          transitions: [
            {
              transitionId: uuid("0190a8f0-0000-7000-8000-0000000000ca"),
              operatorId,
              occurTime: timestamp("2026-11-21T12:00:00Z"),
              fromBindState: "BIND_STATE_BOUND",
              toBindState: "BIND_STATE_UNBOUND",
              fromQuality: "QUALITY_HEALTHY",
              toQuality: "QUALITY_UNHEALTHY",
              cause: like("bind lost"),
              version: "2",
            },
          ],
          nextPageToken: regex(/^.{1,512}$/, "more"),
        },
      },
      async (api) => {
        const got = await api.operators.listHealthTransitions({ operatorId, startTime: { seconds: 1767225600n }, pageSize: 1 });
        expect(got.nextPageToken).toBe("more");
        expect(got.transitions).toMatchObject([
          {
            transitionId: "0190a8f0-0000-7000-8000-0000000000ca",
            operatorId,
            occurTime: { seconds: 1795262400n },
            fromBindState: BindState.BOUND,
            toBindState: BindState.UNBOUND,
            fromQuality: Quality.HEALTHY,
            toQuality: Quality.UNHEALTHY,
            cause: "bind lost",
            submits: 0n,
            errors: 0n,
            version: 2n,
          },
        ]);
      },
    ));
});
