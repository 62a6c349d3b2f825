import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { act, renderHook, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { signIn, signOut } from "../../../src/api/session";
import { useChange } from "../../../src/parts/change";
import { notifyDone } from "../../../src/parts/notify";
import { SignIn } from "../../../src/shell/signin";
import { operatorServer, show, stage } from "./stage";

const { suspendOperator } = OperatorService.method;

afterEach(() => {
  signOut();
});

describe("an offer to undo", () => {
  it("is gone with the session", async () => {
    signIn("tl_one");
    const { rerender } = show(<p>A page</p>);
    act(() => notifyDone("Acme is suspended.", () => Promise.resolve()));
    expect((await screen.findByRole("button", { name: "Undo" })).hidden).toBe(false);
    act(() => signOut());
    rerender(<SignIn end="signed-out" />);
    await waitFor(() => expect(screen.queryByText("Acme is suspended.")).toBeNull());
  });

  it("is never carried out as somebody else", async () => {
    signIn("tl_one");
    const back = vi.fn(() => Promise.resolve());
    show(<p>A page</p>);
    act(() => notifyDone("Acme is suspended.", back));
    act(() => signIn("tl_two"));
    await userEvent.click(await screen.findByRole("button", { name: "Undo" }));
    expect((await screen.findByText(/signed in otherwise/)).closest("[role=alert]")?.textContent).toContain("It could not be undone");
    expect(back).not.toHaveBeenCalled();
  });

  it("is not made when the answer comes to another session", async () => {
    signIn("tl_one");
    let answer = (): void => undefined;
    const transport = operatorServer({ suspendOperator: () => new Promise((resolve) => (answer = () => resolve({}))) });
    const { result } = renderHook(() => useChange(suspendOperator, { done: "Suspended.", undo: () => () => Promise.resolve() }), { wrapper: stage({ transport }) });
    let ended: Promise<unknown> = Promise.resolve();
    act(() => {
      ended = result.current.run({ operatorId: "0190c0de-0000-7000-8000-000000000001" });
    });
    await waitFor(() => expect(answer.name).toBe("answer"));
    act(() => signIn("tl_two"));
    answer();
    expect(await act(() => ended)).not.toBeUndefined();
    expect(screen.queryByText("Suspended.")).toBeNull();
  });
});
