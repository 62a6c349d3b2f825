import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { Timeline, type Span } from "../../../src/parts/timeline";
import { show } from "./stage";

const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 22, 1, minute));
const span = (from: number, to: number, tone: Span["tone"], word: string): Span => ({ from: at(from), to: at(to), tone, word });
const north = { label: "North", spans: [span(0, 20, "good", "BOUND"), span(20, 25, "bad", "UNBOUND"), span(25, 60, "good", "BOUND")] };
const south = { label: "South", spans: [span(-30, 90, "idle", "unknown")] };

const rects = (): SVGRectElement[] => [...document.querySelectorAll("rect")];
const table = (): (string | null)[][] => [...document.querySelectorAll("tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent));

describe("a timeline", () => {
  it("tells every state of every band in words", () => {
    show(<Timeline label="Health" from={at(0)} to={at(60)} bands={[north, south]} />);
    expect(screen.queryByRole("figure", { name: "Health" })).not.toBeNull();
    const [first, second] = table();
    expect(first?.[0]).toBe("North");
    expect(first?.[1]).toMatch(/^BOUND for 20 min, from .+; UNBOUND for 5 min, from .+; BOUND for 35 min, from /);
    expect(second?.[1]).toMatch(/^unknown for 2 h, from /);
  });

  it("puts states where they were, as far as they are within", () => {
    show(<Timeline label="Health" from={at(0)} to={at(60)} bands={[north, south]} />);
    expect(rects().map((one) => Number.parseFloat(one.getAttribute("x") ?? ""))).toEqual([0, 20 / 0.6, 25 / 0.6, 0].map((x) => expect.closeTo(x, 3)));
  });

  it("leaves out what was before and what comes after", () => {
    show(<Timeline label="Health" from={at(0)} to={at(60)} bands={[{ label: "North", spans: [span(-20, -10, "bad", "UNBOUND"), span(70, 80, "bad", "UNBOUND"), span(10, 20, "good", "BOUND")] }]} />);
    expect(rects()).toHaveLength(1);
  });

  it("shows trouble higher, so that colour is not all", () => {
    show(<Timeline label="Health" from={at(0)} to={at(60)} bands={[north]} />);
    const [good, bad] = rects().map((one) => Number(one.getAttribute("height")));
    expect(bad).toBeGreaterThan(good ?? 0);
  });

  it("has each word once in its legend", () => {
    show(<Timeline label="Health" from={at(0)} to={at(60)} bands={[north, south]} />);
    for (const word of ["BOUND", "UNBOUND", "unknown"]) expect(screen.getAllByText(word)).toHaveLength(1);
  });

  it.each([
    ["bands", at(0), at(60), []],
    ["time", at(0), at(0), [north]],
  ])("without %s says that nothing happened", (_, from, to, bands) => {
    show(<Timeline label="Health" from={from} to={to} bands={bands} />);
    expect(screen.queryByText("Nothing happened in this time")).not.toBeNull();
    expect(screen.queryByRole("figure")).toBeNull();
  });
});
