import { describe, expect, it } from "vitest";
import { commandStatusText } from "../../../../src/pages/decisions/smpp";
import { rangeOf, stepFor, windowBetween, windowOf } from "../../../../src/pages/decisions/window";
import { keptNumber } from "../../../../src/pages/decisions/words";

describe("intervals of a window", () => {
  it.each([
    { name: "a quarter of an hour has steps of 10 s", seconds: 900, want: 10 },
    { name: "an hour has steps of a minute", seconds: 3600, want: 60 },
    { name: "a day has steps of 15 min", seconds: 86_400, want: 900 },
    { name: "a week has steps of 2 h", seconds: 604_800, want: 7200 },
    { name: "31 days have steps of 12 h", seconds: 31 * 86_400, want: 43_200 },
  ])("$name", ({ seconds, want }) => {
    expect(stepFor(seconds)).toBe(want);
  });

  it("a range begins where an interval begins, and so stays for a step", () => {
    const now = 1_800_000_000;
    expect(windowOf("1h", now + 1).from).toBe(windowOf("1h", now + 29).from);
    expect(windowOf("1h", now).from % 60).toBe(0);
    expect(windowOf("1h", now).times.length).toBeLessThanOrEqual(121);
  });

  it.each([
    { name: "that goes on", window: windowOf("1h", 1_800_000_070), open: [1_800_000_060] },
    { name: "that is just over, because engines log a moment later", window: windowOf("1h", 1_800_000_062), open: [1_800_000_000, 1_800_000_060] },
    { name: "that the end cuts", window: windowBetween("2026-01-01T00:00Z", "2026-01-02T00:10Z", 1_800_000_000), open: [Date.parse("2026-01-02T00:00Z") / 1000] },
  ])("an interval $name is not complete", ({ window, open }) => {
    expect(window.times.filter((time) => time >= window.openFrom)).toEqual(open);
  });

  it("an end where an interval ends leaves all of them complete", () => {
    const { times, openFrom } = windowBetween("2026-01-01T00:00Z", "2026-01-01T01:00Z", 1_800_000_000);
    expect(times.filter((time) => time >= openFrom)).toEqual([]);
  });

  it("a range that nobody knows, also by a name that every object has, is an hour", () => {
    expect(["2y", "constructor", ""].map(rangeOf)).toEqual(["1h", "1h", "1h"]);
  });

  it.each([
    { name: "no time at all", from: "?", to: "", want: /Give both/ },
    { name: "an end before the beginning", from: "2026-01-02T00:00Z", to: "2026-01-01T00:00Z", want: /after the beginning/ },
    { name: "more than 31 days", from: "2026-01-01T00:00Z", to: "2026-03-01T00:00Z", want: /31 days/ },
  ])("$name is refused with a sentence", ({ from, to, want }) => {
    expect(windowBetween(from, to, 1_800_000_000).complaint).toMatch(want);
  });
});

describe("what the log tells", () => {
  it("a number is its first digits and a dot for each other one", () => {
    expect(keptNumber({ numberPrefix: "+447911", numberDigits: 12 })).toBe("+447911••••••");
  });

  it.each([
    [0, "–"],
    [0x58, "0x00000058 ESME_RTHROTTLED"],
    [0x404, "0x00000404 set by the SMSC's vendor"],
    [0x3000, "0x00003000"],
  ])("command_status %i is %s", (status, want) => {
    expect(commandStatusText(status)).toBe(want);
  });
});
