import { act, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { Suspense } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { lazily } from "../../../src/parts/lazily";
import { Boundary } from "../../../src/shell/boundary";
import { show } from "../parts/stage";

/** What the server answers when it is asked whether it is back, one after the other; the last one again and again. */
function answers(...all: readonly ("gone" | "there")[]): void {
  let asked = 0;
  vi.stubGlobal("fetch", () => {
    const answer = all[Math.min(asked++, all.length - 1)];
    return answer === "there" ? Promise.resolve(new Response("{}")) : Promise.reject(new TypeError("Failed to fetch"));
  });
}

const reload = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  reload.mockReset();
  vi.stubGlobal("location", { ...window.location, reload });
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

async function open(page: ReactNode): Promise<void> {
  show(
    <Boundary>
      <Suspense fallback={null}>{page}</Suspense>
    </Boundary>,
  );
  await act(() => vi.advanceTimersByTimeAsync(0));
}

const Missing = lazily<object>(() => Promise.reject(new TypeError("Failed to fetch dynamically imported module")));
const Broken = (): ReactNode => {
  throw new Error("a mistake");
};

describe("a page that does not come up", () => {
  it("because the server is gone is loaded when it is back", async () => {
    answers("gone", "gone", "there");
    await open(<Missing />);
    expect(screen.getByRole("heading").textContent).toBe("This page is not loaded yet");
    expect(screen.queryByRole("button")).toBeNull();
    await act(() => vi.advanceTimersByTimeAsync(3_000));
    expect(reload).not.toHaveBeenCalled();
    await act(() => vi.advanceTimersByTimeAsync(3_000));
    expect(reload).toHaveBeenCalledTimes(1);
  });

  it("although the server answers waits for somebody, because it could be missing again", async () => {
    answers("there");
    await open(<Missing />);
    expect(screen.getByRole("heading").textContent).toBe("The console was updated");
    await act(() => vi.advanceTimersByTimeAsync(60_000));
    expect(reload).not.toHaveBeenCalled();
    screen.getByRole("button", { name: "Load the console again" }).click();
    expect(reload).toHaveBeenCalledTimes(1);
  });

  it("because of a mistake says so", async () => {
    answers("there");
    await open(<Broken />);
    expect(screen.getByRole("heading").textContent).toBe("This page broke");
  });
});
