import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { Drawer, useDrawer } from "../../../src/parts/drawer";
import { show } from "./stage";

const also = ["tab"];

function Rules() {
  const { id, open, close, href } = useDrawer("rule", also);
  return (
    <>
      <button onClick={() => open("r1")}>First</button>
      <button onClick={() => open("r2")}>Second</button>
      <a href={href("r1")}>Link</a>
      <Drawer id={id} onClose={close} title={`Rule ${id}`} actions={<button>Edit</button>}>
        {(shown) => <input aria-label={`Note of ${shown}`} />}
      </Drawer>
    </>
  );
}

const dialog = (): HTMLElement | null => document.querySelector("[role=dialog]");
const closed = (): Promise<void> => waitFor(() => expect(dialog()).toBeNull());

async function opened(): Promise<void> {
  show(<Rules />);
  screen.getByText("First").focus();
  fireEvent.click(screen.getByText("First"));
  await screen.findByLabelText("Note of r1");
  await waitFor(() => expect(dialog()?.contains(document.activeElement)).toBe(true));
}

describe("a drawer", () => {
  it("is open by a deep link", async () => {
    history.replaceState(null, "", "/rules?rule=r1&tab=history");
    show(<Rules />);
    await waitFor(() => expect(screen.queryByLabelText("Note of r1")).not.toBeNull());
    expect(location.search).toBe("?rule=r1&tab=history");
  });

  it("keeps the focus within", async () => {
    await opened();
    for (let presses = 0; presses < 4; presses++) {
      await userEvent.tab();
      expect(dialog()?.contains(document.activeElement)).toBe(true);
    }
    await userEvent.tab({ shift: true });
    expect(dialog()?.contains(document.activeElement)).toBe(true);
  });

  it("is closed by Esc, and the focus goes back to where it was", async () => {
    await opened();
    fireEvent.keyDown(document.activeElement ?? document.body, { key: "Escape" });
    await closed();
    expect(location.search).toBe("");
    await waitFor(() => expect(document.activeElement).toBe(screen.getByText("First")));
  });

  it("is closed by its button", async () => {
    await opened();
    fireEvent.click(screen.getByLabelText("Close"));
    await closed();
  });

  it("is closed by Back", async () => {
    await opened();
    expect(location.search).toBe("?rule=r1");
    act(() => history.back());
    await closed();
    expect(location.search).toBe("");
  });

  it("forgets what belongs to one detail when another is opened or it is closed", async () => {
    history.replaceState(null, "", "/rules?q=x&rule=r1&tab=history");
    show(<Rules />);
    await screen.findByLabelText("Note of r1");
    fireEvent.click(screen.getByText("Second"));
    await screen.findByLabelText("Note of r2");
    expect(location.search).toBe("?q=x&rule=r2");
    fireEvent.click(screen.getByLabelText("Close"));
    await closed();
    expect(location.search).toBe("?q=x");
  });

  it("gives a link of each detail", () => {
    history.replaceState(null, "", "/rules");
    show(<Rules />);
    expect(screen.getByText("Link").getAttribute("href")).toBe("/rules?rule=r1");
  });
});
