import { Code, ConnectError } from "@connectrpc/connect";
import { useQuery } from "@connectrpc/connect-query";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { act, renderHook, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { useChange } from "../../../src/parts/change";
import { operatorServer, stage } from "./stage";

const { suspendOperator, listOperators } = OperatorService.method;
const acme = { operatorId: "0190c0de-0000-7000-8000-000000000001", etag: "e1" };
const uuid = /^[0-9a-f-]{36}$/;

describe("the request id of a change", () => {
  it("is kept over retries of the same input, and is new after success", async () => {
    const ids: string[] = [];
    let broken = true;
    const transport = operatorServer({
      suspendOperator: (request) => {
        ids.push(request.requestId);
        if (broken) throw new ConnectError("away", Code.Unavailable);
        return {};
      },
    });
    const { result } = renderHook(() => useChange(suspendOperator), { wrapper: stage({ transport }) });
    await act(() => result.current.run(acme));
    expect(result.current.problem?.message).toBe("away");
    broken = false;
    await act(() => result.current.run({ ...acme }));
    expect(result.current.problem).toBeUndefined();
    await act(() => result.current.run(acme));
    expect(ids).toHaveLength(3);
    expect(ids[0]).toMatch(uuid);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  it("is another one for another input, which the server would refuse otherwise", async () => {
    const ids: string[] = [];
    const transport = operatorServer({
      suspendOperator: (request) => {
        ids.push(request.requestId);
        throw new ConnectError("away", Code.Unavailable);
      },
    });
    const { result } = renderHook(() => useChange(suspendOperator), { wrapper: stage({ transport }) });
    await act(() => result.current.run(acme));
    await act(() => result.current.run({ ...acme, etag: "e2" }));
    expect(new Set(ids).size).toBe(2);
  });

  it("is the caller's where it gives one", async () => {
    const seen = vi.fn(() => ({}));
    const transport = operatorServer({ suspendOperator: (request) => (seen.call(request), { operator: { name: request.requestId } }) });
    const { result } = renderHook(() => useChange(suspendOperator), { wrapper: stage({ transport }) });
    const answer = await act(() => result.current.run({ ...acme, requestId: "mine" }));
    expect(answer?.operator?.name).toBe("mine");
  });
});

describe("a change", () => {
  it("rejects by send, and tells the problem", async () => {
    const transport = operatorServer({
      suspendOperator: () => {
        throw new ConnectError("no", Code.FailedPrecondition);
      },
    });
    const { result } = renderHook(() => useChange(suspendOperator), { wrapper: stage({ transport }) });
    await act(() => expect(result.current.send(acme)).rejects.toThrow(/no/));
    expect(result.current.problem?.code).toBe(Code.FailedPrecondition);
    act(() => result.current.reset());
    expect(result.current.problem).toBeUndefined();
  });

  it("checks without changing, and without a request id", async () => {
    const requests: { validateOnly: boolean; requestId: string }[] = [];
    const transport = operatorServer({
      suspendOperator: ({ validateOnly, requestId }) => {
        requests.push({ validateOnly, requestId });
        return {};
      },
    });
    const { result } = renderHook(() => useChange(suspendOperator, { done: "Suspended" }), { wrapper: stage({ transport }) });
    await act(() => result.current.check(acme));
    expect(requests).toEqual([{ validateOnly: true, requestId: "" }]);
    expect(screen.queryByText("Suspended")).toBeNull();
  });

  it("has lists of its service read again", async () => {
    const list = vi.fn(() => ({}));
    const transport = operatorServer({ suspendOperator: () => ({}), listOperators: list });
    const { result } = renderHook(() => ({ change: useChange(suspendOperator), list: useQuery(listOperators, {}) }), { wrapper: stage({ transport }) });
    await waitFor(() => expect(result.current.list.isSuccess).toBe(true));
    await act(() => result.current.change.run(acme));
    await waitFor(() => expect(list).toHaveBeenCalledTimes(2));
  });

  it("offers to take it back", async () => {
    const back = vi.fn(() => Promise.resolve());
    const transport = operatorServer({ suspendOperator: () => ({ operator: { name: "Acme" } }) });
    const { result } = renderHook(
      () => useChange(suspendOperator, { done: (answer) => `${answer.operator?.name ?? ""} is suspended.`, undo: () => back }),
      { wrapper: stage({ transport }) },
    );
    await act(() => result.current.run(acme));
    await waitFor(() => expect(screen.queryByText("Acme is suspended.")).not.toBeNull());
    await userEvent.click(screen.getByRole("button", { name: "Undo" }));
    expect(back).toHaveBeenCalledTimes(1);
    expect((await screen.findByText("Undone.")).closest("[role=alert]")).not.toBeNull();
  });
});
