import { create } from "@bufbuild/protobuf";
import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb";
import { OperatorHealthSchema } from "@gen/operators/v1/health_pb";
import { OperatorSchema } from "@gen/operators/v1/operator_pb";
import { renderHook, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { addressParts, ofQuality } from "../../../../src/pages/operators/rows";
import { mostOperators, useOperators } from "../../../../src/pages/operators/useoperators";
import { operatorServer, stage } from "../../parts/stage";

/** A server with so many operators, every fourth degraded. */
function serverOf(count: number) {
  const asked: string[] = [];
  const transport = operatorServer({
    listOperators: ({ pageSize, pageToken }) => {
      asked.push(pageToken);
      const from = Number(pageToken);
      const ids = Array.from({ length: Math.min(pageSize, count - from) }, (_, index) => String(from + index));
      return {
        operators: ids.map((operatorId) => create(OperatorSchema, { operatorId, name: `Carrier ${operatorId}` })),
        health: ids.map((operatorId) =>
          create(OperatorHealthSchema, { operatorId, bindState: BindState.BOUND, quality: Number(operatorId) % 4 === 0 ? Quality.DEGRADED : Quality.HEALTHY }),
        ),
        nextPageToken: from + ids.length < count ? String(from + ids.length) : "",
      };
    },
  });
  return { transport, asked };
}

describe("the operators of the list", () => {
  it.each([
    { count: 500, rows: 500, calls: 1, beyond: false },
    { count: 2_500, rows: 2_500, calls: 3, beyond: false },
    { count: 5_000, rows: 5_000, calls: 5, beyond: false },
    { count: 7_000, rows: mostOperators, calls: 5, beyond: true },
  ])("$count of them are read by $calls calls", async ({ count, rows, calls, beyond }) => {
    const { transport, asked } = serverOf(count);
    const { result } = renderHook(() => useOperators({}, []), { wrapper: stage({ transport }) });
    await waitFor(() => expect([result.current.data.rows.length, result.current.beyond]).toEqual([rows, beyond]));
    await waitFor(() => expect(result.current.data.loadingMore).toBe(false));
    expect(asked).toHaveLength(calls);
    // Only a whole can be sorted.
    expect(result.current.data.more).toBe(beyond);
  });

  it("are chosen by quality on every page", async () => {
    const { transport } = serverOf(2_000);
    const degraded = [Quality.DEGRADED];
    const { result } = renderHook(() => useOperators({}, degraded), { wrapper: stage({ transport }) });
    await waitFor(() => expect(result.current.data.rows).toHaveLength(500));
    expect(result.current.data.rows.every(({ health }) => health?.quality === Quality.DEGRADED)).toBe(true);
  });

  it("are of an unknown quality while nobody has told of them", () => {
    const row = { operator: create(OperatorSchema), health: undefined };
    expect([ofQuality([])(row), ofQuality([Quality.UNSPECIFIED])(row), ofQuality([Quality.HEALTHY])(row)]).toEqual([true, true, false]);
  });

  it.each([
    ["smpp.acme.example", 2775, ["smpp.acme.example", ":2775"]],
    ["2001:db8::1", 2776, ["[2001:db8::1]", ":2776"]],
  ])("have the port of %s apart, which is never cut", (host, port, parts) => {
    expect(addressParts({ host, port })).toEqual(parts);
  });
});
