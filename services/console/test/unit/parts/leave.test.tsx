import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Link, Route, Router } from "wouter";
import { guardedNavigation, useLeaveGuard } from "../../../src/parts/leave";
import { useParam } from "../../../src/parts/params";
import { show } from "./stage";

function Form({ dirty }: { readonly dirty: boolean }) {
  const dialog = useLeaveGuard(dirty);
  const [, setTab] = useParam("tab");
  return (
    <>
      <Link href="/other">Elsewhere</Link>
      <Link href="/form?tab=a">A tab by link</Link>
      <button onClick={() => setTab("b", "push")}>B tab by button</button>
      {dialog}
    </>
  );
}

const page = (dirty: boolean) => (
  <Router aroundNav={guardedNavigation}>
    <Route path="/form">
      <Form dirty={dirty} />
    </Route>
    <Route path="/other">Another page</Route>
  </Router>
);

const asked = vi.fn<(question?: string) => boolean>();
const reloaded = (): boolean => !window.dispatchEvent(new Event("beforeunload", { cancelable: true }));

beforeEach(() => {
  history.replaceState(null, "", "/form");
  asked.mockReset();
  vi.stubGlobal("confirm", asked);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe("a page with unsaved changes", () => {
  it("asks before a link leads away, and stays by default", async () => {
    show(page(true));
    fireEvent.click(screen.getByText("Elsewhere"));
    const [stay] = (await screen.findAllByText("Stay")).filter((one) => one.closest("button") !== null);
    expect(screen.queryByText("Leave without saving?")).not.toBeNull();
    expect(location.pathname).toBe("/form");
    fireEvent.click(stay ?? document.body);
    await waitFor(() => expect(screen.queryByText("Leave without saving?")).toBeNull());
    expect(location.pathname).toBe("/form");
  });

  it("is left when somebody agrees", async () => {
    show(page(true));
    fireEvent.click(screen.getByText("Elsewhere"));
    fireEvent.click(await screen.findByText("Leave"));
    await waitFor(() => expect(screen.queryByText("Another page")).not.toBeNull());
    expect(location.pathname).toBe("/other");
  });

  it("lets go of tabs and drawers, which are in the query string", () => {
    show(page(true));
    fireEvent.click(screen.getByText("A tab by link"));
    expect(location.search).toBe("?tab=a");
    fireEvent.click(screen.getByText("B tab by button"));
    expect(location.search).toBe("?tab=b");
    expect(screen.queryByText("Leave without saving?")).toBeNull();
  });

  it("asks before a reload", () => {
    show(page(true));
    expect(reloaded()).toBe(true);
  });

  it("undoes Back unless somebody agrees", async () => {
    history.replaceState(null, "", "/other");
    history.pushState(null, "", "/form");
    show(page(true));
    asked.mockReturnValue(false);
    act(() => history.back());
    await waitFor(() => expect(asked).toHaveBeenCalledTimes(1));
    expect(location.pathname).toBe("/form");
    expect(screen.queryByText("Elsewhere")).not.toBeNull();
    asked.mockReturnValue(true);
    act(() => history.back());
    await waitFor(() => expect(screen.queryByText("Another page")).not.toBeNull());
  });
});

describe("a page without unsaved changes", () => {
  it("asks nobody", () => {
    const { rerender } = show(page(true));
    rerender(page(false));
    expect(reloaded()).toBe(false);
    fireEvent.click(screen.getByText("Elsewhere"));
    expect(screen.queryByText("Another page")).not.toBeNull();
    expect(asked).not.toHaveBeenCalled();
  });
});
