import { Code, ConnectError } from "@connectrpc/connect";
import { DecisionService } from "@gen/routing/v1/decision_service_pb";
import { act, renderHook, screen } from "@testing-library/react";
import { createRouterTransport } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Share } from "../../../../src/pages/operators/share";
import { useCheck } from "../../../../src/pages/operators/usecheck";
import { show } from "../../parts/stage";

describe("the check of a form", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("asks once when typing rests, and not at all without a question", async () => {
    const ask = vi.fn((text: string) => Promise.resolve(text));
    const { result, rerender } = renderHook(({ text }) => useCheck(text, () => ask(text)), { initialProps: { text: "" } });
    await act(() => vi.advanceTimersByTimeAsync(5_000));
    expect(result.current.state).toBe("idle");
    for (const text of ["a", "ab", "abc"]) {
      rerender({ text });
      await act(() => vi.advanceTimersByTimeAsync(100));
    }
    expect(result.current.state).toBe("checking");
    await act(() => vi.advanceTimersByTimeAsync(600));
    expect(ask.mock.calls).toEqual([["abc"]]);
    expect(result.current).toEqual({ state: "fine", answer: "abc" });
  });

  it("drops the answer to a former question", async () => {
    const answers = new Map<string, (text: string) => void>();
    const ask = (text: string) => new Promise<string>((resolve) => answers.set(text, resolve));
    const { result, rerender } = renderHook(({ text }) => useCheck(text, () => ask(text)), { initialProps: { text: "old" } });
    await act(() => vi.advanceTimersByTimeAsync(600));
    rerender({ text: "new" });
    await act(() => vi.advanceTimersByTimeAsync(600));
    await act(async () => {
      answers.get("new")?.("new");
      await Promise.resolve();
      answers.get("old")?.("old");
      await Promise.resolve();
    });
    expect(result.current).toEqual({ state: "fine", answer: "new" });
  });

  it("says in words why the server refuses", async () => {
    const ask = () => Promise.reject(new ConnectError("taken", Code.AlreadyExists));
    const { result } = renderHook(() => useCheck("x", ask));
    await act(() => vi.advanceTimersByTimeAsync(600));
    expect(result.current).toMatchObject({ state: "refused", problem: { message: "taken" } });
  });
});

describe("the share of the last hour", () => {
  const share = (answer: () => object) =>
    show(<Share operatorId="a" />, { transport: createRouterTransport(({ service }) => service(DecisionService, { summarizeDecisions: answer })) });

  it("is a percentage of all decisions", async () => {
    share(() => ({ summaries: [{ group: "a", decisionCount: 1n }, { group: "b", decisionCount: 3n }] }));
    expect(await screen.findByText("25.0 %", {}, { timeout: 15_000 })).toBeTruthy();
  }, 20_000);

  it("is said not to be known when the log cannot be asked", async () => {
    share(() => {
      throw new ConnectError("away", Code.Unimplemented);
    });
    expect(await screen.findByText("How much it carried in the last hour is not known.", {}, { timeout: 15_000 })).toBeTruthy();
  }, 20_000);
});
