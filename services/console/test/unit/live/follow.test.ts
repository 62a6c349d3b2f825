import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { follow, type Link } from "../../../src/live/follow";

/** A stream that a test feeds. */
class Tap {
  private readonly waiting: ((result: IteratorResult<string>) => void)[] = [];
  private fail: ((error: Error) => void) | undefined;

  constructor(signal: AbortSignal) {
    signal.addEventListener("abort", () => { this.breakOff(); });
  }

  say(text: string): void {
    this.waiting.shift()?.({ value: text, done: false });
  }

  breakOff(): void {
    this.fail?.(new Error("broken"));
  }

  [Symbol.asyncIterator](): AsyncIterator<string> {
    return {
      next: () =>
        new Promise((resolve, reject) => {
          this.waiting.push(resolve);
          this.fail = reject;
        }),
    };
  }
}

function start(more: { silence?: number; connected?: (text: string) => boolean } = {}) {
  const taps: Tap[] = [];
  const heard: string[] = [];
  const links: Link["state"][] = [];
  const again = vi.fn();
  const stop = follow<string>({
    open: (signal) => {
      const tap = new Tap(signal);
      taps.push(tap);
      return tap;
    },
    hear: (text) => heard.push(text),
    changed: ({ state }) => links.push(state),
    again,
    ...more,
  });
  return { taps, heard, links, again, stop };
}

async function settle(milliseconds = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}

describe("following a stream", () => {
  beforeEach(() => { vi.useFakeTimers(); });
  afterEach(() => { vi.useRealTimers(); });

  it("opens it again after a break, tells both, and asks for what was missed once", async () => {
    const { taps, heard, links, again, stop } = start();
    await settle();
    taps[0]?.say("one");
    await settle();
    taps[0]?.breakOff();
    await settle(2_000);
    expect(taps).toHaveLength(2);
    taps[1]?.say("two");
    await settle();
    taps[1]?.say("three");
    await settle();
    expect(heard).toEqual(["one", "two", "three"]);
    expect(links).toEqual(["live", "lost", "live"]);
    expect(again).toHaveBeenCalledTimes(1);
    stop();
  });

  it("waits longer from try to try, and at most 15 s and a quarter", async () => {
    const { taps, stop } = start();
    for (let tries = 1; tries <= 6; tries++) {
      await settle();
      expect(taps).toHaveLength(tries);
      taps.at(-1)?.breakOff();
      await settle(tries === 1 ? 1_300 : 19_000);
    }
    stop();
  });

  it("takes a silent stream for dead", async () => {
    const { taps, links, stop } = start({ silence: 30_000 });
    await settle();
    taps[0]?.say("one");
    await settle(29_000);
    expect(links).toEqual(["live"]);
    await settle(5_000);
    expect(links).toEqual(["live", "lost"]);
    expect(taps).toHaveLength(2);
    stop();
  });

  it("is not live while the server says that it hears nothing", async () => {
    const { taps, links, stop } = start({ connected: (text) => text !== "deaf" });
    await settle();
    taps[0]?.say("deaf");
    await settle();
    expect(links).toEqual(["lost"]);
    taps[0]?.say("word");
    await settle();
    expect(links).toEqual(["lost", "live"]);
    stop();
  });

  it("lets the stream go when nobody looks for three seconds, and comes back when somebody does", async () => {
    const { taps, links, again, stop } = start();
    const look = (hidden: boolean) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    };
    await settle();
    taps[0]?.say("one");
    look(true);
    await settle(2_900);
    taps[0]?.say("two");
    await settle(200);
    expect(taps).toHaveLength(1);
    await settle(600_000);
    expect(taps).toHaveLength(1);
    look(false);
    await settle();
    expect(taps).toHaveLength(2);
    taps[1]?.say("three");
    await settle();
    expect(links).toEqual(["live"]);
    expect(again).toHaveBeenCalledTimes(1);
    stop();
  });

  it("opens nothing more once it was stopped", async () => {
    const { taps, stop } = start();
    await settle();
    stop();
    await settle(60_000);
    expect(taps).toHaveLength(1);
  });
});
