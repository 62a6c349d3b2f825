import { Code, ConnectError } from "@connectrpc/connect";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { act, renderHook, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { stepOf, useJob } from "../../../src/parts/job";
import { Progress, progressText } from "../../../src/parts/progress";
import { operatorServer, show, stage } from "./stage";

const { importOperators } = OperatorService.method;

const progress = (done: bigint, total: bigint) => ({ step: { case: "progress" as const, value: { done, total } } });
const result = (created: bigint) => ({ step: { case: "result" as const, value: { created } } });

/** A server that sends what it is told to, and knows when its caller has gone. */
function slow() {
  let step = (): void => undefined;
  const next = () => new Promise<void>((resolve) => (step = resolve));
  const state = { gone: false, requestIds: [] as string[] };
  const transport = operatorServer({
    importOperators: async function* (request, { signal }) {
      signal.addEventListener("abort", () => (state.gone = true));
      state.requestIds.push(request.requestId);
      yield progress(1n, 4n);
      await Promise.race([next(), new Promise((resolve) => signal.addEventListener("abort", resolve))]);
      yield result(4n);
    },
  });
  return { transport, state, step: () => step() };
}

describe("a job", () => {
  it("tells its progress, then its result", async () => {
    const { transport, step } = slow();
    const { result: job } = renderHook(() => useJob(importOperators, stepOf), { wrapper: stage({ transport }) });
    expect(job.current.state).toBe("idle");
    let ended: Promise<unknown> = Promise.resolve();
    act(() => {
      ended = job.current.start({});
    });
    await waitFor(() => expect(job.current.progress).toEqual({ done: 1n, total: 4n }));
    expect(job.current.state).toBe("running");
    step();
    await act(() => ended);
    expect(job.current.state).toBe("done");
    expect(job.current.result?.created).toBe(4n);
  });

  it("is cancelled: the server hears of it and no result comes", async () => {
    const { transport, state } = slow();
    const { result: job } = renderHook(() => useJob(importOperators, stepOf), { wrapper: stage({ transport }) });
    let ended: Promise<unknown> = Promise.resolve();
    act(() => {
      ended = job.current.start({});
    });
    await waitFor(() => expect(job.current.progress).toBeDefined());
    act(() => job.current.cancel());
    expect(job.current.state).toBe("cancelled");
    expect(await act(() => ended)).toBeUndefined();
    expect(job.current.state).toBe("cancelled");
    expect(job.current.problem).toBeUndefined();
    await waitFor(() => expect(state.gone).toBe(true));
  });

  it("ends with its page", async () => {
    const { transport, state } = slow();
    const { result: job, unmount } = renderHook(() => useJob(importOperators, stepOf), { wrapper: stage({ transport }) });
    act(() => void job.current.start({}));
    await waitFor(() => expect(job.current.progress).toBeDefined());
    unmount();
    await waitFor(() => expect(state.gone).toBe(true));
  });

  it("says why it failed, and keeps its request id for the next try", async () => {
    const ids: string[] = [];
    const transport = operatorServer({
      importOperators: async function* (request) {
        ids.push(request.requestId);
        yield progress(0n, 4n);
        throw new ConnectError("the database is away", Code.Unavailable);
      },
    });
    const { result: job } = renderHook(() => useJob(importOperators, stepOf), { wrapper: stage({ transport }) });
    await act(() => job.current.start({}));
    expect(job.current.state).toBe("failed");
    expect(job.current.problem?.message).toBe("the database is away");
    await act(() => job.current.start({}));
    expect(ids[0]).not.toBe("");
    expect(ids[1]).toBe(ids[0]);
  });

  it("has failed when the stream ends without a result", async () => {
    const transport = operatorServer({
      importOperators: async function* () {
        yield progress(1n, 2n);
      },
    });
    const { result: job } = renderHook(() => useJob(importOperators, stepOf), { wrapper: stage({ transport }) });
    await act(() => job.current.start({}));
    expect(job.current.state).toBe("failed");
  });

  it("puts an answer in parts together", async () => {
    const transport = operatorServer({
      importOperators: async function* () {
        yield result(1n);
        yield result(2n);
      },
    });
    const { result: job } = renderHook(
      () =>
        useJob(importOperators, (message, former: bigint | undefined) =>
          message.step.case === "result" ? { result: (former ?? 0n) + message.step.value.created } : {},
        ),
      { wrapper: stage({ transport }) },
    );
    expect(await act(() => job.current.start({}))).toBe(3n);
  });
});

describe("progress in words", () => {
  it.each([
    [undefined, 0, "Started, 0 s gone"],
    [{ done: 5n, total: 0n }, 1_000, "5 done, 1 s gone"],
    [{ done: 4_200n, total: 10_000n }, 12_000, "42 %, 4,200 of 10,000, 12 s gone, about 17 s left"],
    [{ done: 1n, total: 2n }, 1_000, "50 %, 1 of 2, 1 s gone"],
    [{ done: 2n, total: 2n }, 9_000, "100 %, 2 of 2, 9 s gone"],
  ])("%o after %d ms", (done, ms, text) => {
    expect(progressText(done, ms)).toBe(text);
  });

  it("has a button that cancels", async () => {
    let cancelled = false;
    const job = { state: "running" as const, progress: { done: 1n, total: 2n }, startedAt: new Date(), cancel: () => (cancelled = true) };
    show(<Progress job={job} label="Importing" />);
    expect(screen.getByRole("progressbar", { name: "Importing" }).getAttribute("aria-valuenow")).toBe("50");
    await userEvent.click(screen.getByRole("button", { name: "Cancel" }));
    expect(cancelled).toBe(true);
  });
});
