import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { useConfirm, type Question } from "../../../src/parts/confirm";
import { show } from "./stage";

function Asking(question: Question) {
  const [ask, dialog] = useConfirm();
  return (
    <>
      <button onClick={() => ask(question)}>Ask</button>
      {dialog}
    </>
  );
}

const question = { title: "Suspend Acme?", what: ["Engines stop selecting it.", "2 rules are left without an operator."], confirm: "Suspend" };

describe("a confirmation", () => {
  it("says what will happen, acts, and closes", async () => {
    const action = vi.fn(() => Promise.resolve());
    show(<Asking {...question} action={action} />);
    await userEvent.click(screen.getByText("Ask"));
    expect((await screen.findAllByRole("listitem")).map((item) => item.textContent)).toEqual(question.what);
    await userEvent.click(screen.getByRole("button", { name: "Suspend" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(action).toHaveBeenCalledTimes(1);
  });

  it("shows why it failed, and can be tried again", async () => {
    let broken = true;
    const action = vi.fn(() => (broken ? Promise.reject(new ConnectError("Vault is away", Code.Unavailable)) : Promise.resolve()));
    show(<Asking {...question} action={action} />);
    await userEvent.click(screen.getByText("Ask"));
    await userEvent.click(await screen.findByRole("button", { name: "Suspend" }));
    expect((await screen.findByRole("alert")).textContent).toContain("Vault is away");
    expect(screen.queryByRole("dialog")).not.toBeNull();
    broken = false;
    await userEvent.click(screen.getByRole("button", { name: "Suspend" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  });

  it("waits for the word, by keyboard alone", async () => {
    const action = vi.fn(() => Promise.resolve());
    show(<Asking {...question} word="acme" danger action={action} />);
    await userEvent.click(screen.getByText("Ask"));
    const box = await screen.findByLabelText("Type acme to go on");
    await waitFor(() => expect(document.activeElement).toBe(box));
    await userEvent.keyboard("acm{Enter}");
    expect(action).not.toHaveBeenCalled();
    expect(screen.getByRole("button", { name: "Suspend" })).toHaveProperty("disabled", true);
    await userEvent.keyboard("e{Enter}");
    await waitFor(() => expect(action).toHaveBeenCalledTimes(1));
  });

  it("does not do dangerous things by a hasty Enter", async () => {
    const action = vi.fn(() => Promise.resolve());
    show(<Asking {...question} danger action={action} />);
    await userEvent.click(screen.getByText("Ask"));
    await waitFor(() => expect(document.activeElement?.textContent).toBe("Cancel"));
    await userEvent.keyboard("{Enter}");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(action).not.toHaveBeenCalled();
  });

  it("cannot be left while it works", async () => {
    let finish = (): void => undefined;
    const action = () => new Promise<void>((resolve) => (finish = resolve));
    show(<Asking {...question} action={action} />);
    await userEvent.click(screen.getByText("Ask"));
    await userEvent.click(await screen.findByRole("button", { name: "Suspend" }));
    await userEvent.keyboard("{Escape}");
    expect(screen.queryByRole("dialog")).not.toBeNull();
    finish();
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  });
});
