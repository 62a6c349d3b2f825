import { act, renderHook, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { useDrawer } from "../../../src/parts/drawer";
import { guardedNavigation } from "../../../src/parts/leave";
import { useParam, useParams } from "../../../src/parts/params";

const address = () => `${location.pathname}${location.search}`;

/** A page with a drawer, a filter, and an entry before it. */
function visit() {
  history.pushState(null, "", "/before");
  history.pushState(null, "", "/rules?q=a");
  return renderHook(() => ({ drawer: useDrawer("rule", ["tab"]), q: useParam("q"), tab: useParam("tab"), both: useParams({ q: "", tab: "" }) })).result;
}

async function back(): Promise<void> {
  const came = new Promise((resolve) => addEventListener("popstate", resolve, { once: true }));
  await act(async () => {
    history.back();
    await came;
  });
}

describe("closing what was opened", () => {
  it("leaves no second entry of the page: the next Back leaves it", async () => {
    const page = visit();
    act(() => page.current.drawer.open("r1"));
    expect(address()).toBe("/rules?q=a&rule=r1");
    act(() => page.current.drawer.close());
    await waitFor(() => expect(address()).toBe("/rules?q=a"));
    await back();
    expect(address()).toBe("/before");
  });

  it("goes back once, however often it is closed", async () => {
    const page = visit();
    act(() => page.current.drawer.open("r1"));
    act(() => {
      page.current.drawer.close();
      page.current.drawer.close();
    });
    await waitFor(() => expect(address()).toBe("/rules?q=a"));
    act(() => page.current.drawer.close());
    expect(address()).toBe("/rules?q=a");
    await back();
    expect(address()).toBe("/before");
  });

  it("keeps what was changed below meanwhile", async () => {
    const page = visit();
    act(() => page.current.drawer.open("r1"));
    act(() => page.current.q[1]("b"));
    act(() => page.current.drawer.close());
    await waitFor(() => expect(address()).toBe("/rules?q=b"));
    await back();
    expect(address()).toBe("/rules?q=a");
  });

  it("takes a change of the same moment with it", async () => {
    const page = visit();
    act(() => page.current.drawer.open("r1"));
    act(() => {
      page.current.drawer.close();
      page.current.q[1]("c");
    });
    await waitFor(() => expect(address()).toBe("/rules?q=c"));
  });

  it("lets a navigation of the same moment come after it", async () => {
    const page = visit();
    act(() => page.current.drawer.open("r1"));
    act(() => {
      page.current.drawer.close();
      guardedNavigation((to) => history.pushState(null, "", to), "/rates", {});
    });
    await waitFor(() => expect(address()).toBe("/rates"));
    await back();
    expect(address()).toBe("/rules?q=a");
  });

  it("knows the entry below after a tab of the drawer was chosen", async () => {
    const page = visit();
    act(() => page.current.drawer.open("r1"));
    act(() => page.current.tab[1]("history"));
    act(() => page.current.drawer.close());
    await waitFor(() => expect(address()).toBe("/rules?q=a"));
    await back();
    expect(address()).toBe("/before");
  });

  it("replaces where a link opened it", () => {
    history.pushState(null, "", "/rules?rule=r1");
    const page = renderHook(() => useDrawer("rule")).result;
    act(() => page.current.close());
    expect(address()).toBe("/rules");
  });
});
