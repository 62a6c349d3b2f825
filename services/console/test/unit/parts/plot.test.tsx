import { act, fireEvent, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { Plot } from "../../../src/parts/plot";
import { overhang, timesOf, timeSpace } from "../../../src/parts/plotaxis";
import { alone, dataOf } from "../../../src/parts/plotdata";
import { timeText } from "../../../src/parts/plottext";
import { show } from "./stage";

// There is no canvas here: what a plot tells without one is what is tested.

const times = [1000, 1060, 1120];
const series = [
  { label: "North", values: [1, 2, 3] },
  { label: "South", values: [10, null, 30] },
];
const percent = (value: number): string => `${String(value)} %`;

const canvas = (): HTMLElement => screen.getByRole("img");
const cells = (): (string | null)[][] => [...document.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent));
const spoken = (): string | null | undefined => document.querySelector("[aria-live=polite]")?.textContent;
/** The legend: every series and its value, without the table. */
const legend = (): string => [...document.querySelectorAll("figure strong")].map((value) => value.textContent).join(" ");

describe("a plot", () => {
  it("tells in words what it shows", () => {
    show(<Plot label="Decisions" times={times} series={series} text={percent} />);
    const name = canvas().getAttribute("aria-label") ?? "";
    expect(name).toMatch(/^Decisions, /);
    expect(name).toContain("North: 3 % at the end, from 1 % to 3 %");
    expect(name).toContain("South: 30 % at the end, from 10 % to 30 %");
  });

  it("is a table as well, with its gaps", () => {
    show(<Plot label="Decisions" times={times} series={series} text={percent} />);
    expect(document.querySelector("caption")?.textContent).toBe("Decisions, the newest 3 points");
    expect([...document.querySelectorAll("thead th")].map((head) => head.textContent)).toEqual(["Time", "North", "South"]);
    expect(cells()).toEqual([["1 %", "10 %"], ["2 %", "–"], ["3 %", "30 %"]]);
  });

  it("has the newest 30 points in its table", () => {
    const many = Array.from({ length: 100 }, (_, at) => at);
    show(<Plot label="Decisions" times={many.map((at) => 1000 + at)} series={[{ label: "North", values: many }]} />);
    expect(cells()).toHaveLength(30);
    expect(cells().at(-1)).toEqual(["99"]);
  });

  it("says in its legend what is newest, and by keys what was before", () => {
    show(<Plot label="Decisions" times={times} series={series} text={percent} />);
    const press = (key: string): boolean => fireEvent.keyDown(canvas(), { key });
    expect(legend()).toBe("3 % 30 %");
    press("ArrowLeft");
    expect(legend()).toBe("2 % –");
    expect(spoken()).toBe(`${timeText(1060)}: North 2 %, South –`);
    press("Home");
    expect(legend()).toBe("1 % 10 %");
    press("ArrowLeft");
    expect(legend()).toBe("1 % 10 %");
    press("ArrowRight");
    expect(legend()).toBe("2 % –");
    press("End");
    press("ArrowRight");
    expect(legend()).toBe("3 % 30 %");
    press("Home");
    fireEvent.blur(canvas());
    expect(legend()).toBe("3 % 30 %");
  });

  it("can be reached by keyboard, and says how it is read", () => {
    show(<Plot label="Decisions" times={times} series={series} />);
    expect(canvas().tabIndex).toBe(0);
    expect(document.getElementById(canvas().getAttribute("aria-describedby") ?? "")?.textContent).toContain("arrows");
  });

  it.each([
    ["times", [], []],
    ["values", times, [{ label: "North", values: [null, null, null] }]],
  ])("without %s says that it is empty", (_, at, none) => {
    show(<Plot label="Decisions" times={at} series={none} empty="Nothing was decided" />);
    expect(screen.getByRole("figure", { name: "Decisions" }).textContent).toContain("Nothing was decided");
    expect(screen.queryByRole("img")).toBeNull();
    expect(document.querySelector("table")).toBeNull();
  });

  it("that is live changes its legend at once, and its table now and then", () => {
    vi.useFakeTimers();
    const plot = (newest: number) => <Plot label="Decisions" times={times} series={[{ label: "North", values: [1, 2, newest] }]} />;
    const { rerender } = show(plot(3));
    rerender(plot(4));
    expect(legend()).toBe("4");
    expect(cells().at(-1)).toEqual(["3"]);
    act(() => vi.advanceTimersByTime(10_000));
    expect(cells().at(-1)).toEqual(["4"]);
  });

  it("that is stacked draws sums, the highest first", () => {
    const whole = (kind: "stacked" | "lines"): unknown[] => dataOf(times, series, kind).filter((_, at) => at === 0 || at % 2 === 1);
    expect(whole("stacked")).toEqual([times, [11, 2, 33], [1, 2, 3]]);
    expect(whole("lines")).toEqual([times, [1, 2, 3], [10, null, 30]]);
  });

  it("has a point where a value stands between gaps", () => {
    expect(alone([1, null, 2, null, 3, 4, null])).toEqual([0, 2]);
  });
});

describe("an interval that is not complete", () => {
  const none = [null, null, null];

  it.each([
    ["of a line is joined to what is whole", [1, 2, 3], "lines", 2, [1, 2, null], [null, 2, 3]],
    ["of a line without a value leaves the line as it ends", [1, 2, null], "lines", 2, [1, 2, null], none],
    ["of a stack is a bar of its own", [1, 2, 3], "stacked", 2, [1, 2, null], [null, null, 3]],
    ["that is the only one is all there is", [1, 2, 3], "lines", 0, none, [1, 2, 3]],
    ["is nowhere when all are whole", [1, 2, 3], "lines", 3, [1, 2, 3], none],
  ] as const)("%s", (_, values, kind, open, whole, rest) => {
    expect(dataOf(times, [{ label: "North", values }], kind, open)).toEqual([times, whole, rest]);
  });

  it("is not what the legend tells, until the cursor is there", () => {
    show(<Plot label="Decisions" times={times} series={series} text={percent} openFrom={1120} />);
    expect(legend()).toBe("2 % –");
    fireEvent.keyDown(canvas(), { key: "End" });
    expect(legend()).toBe("3 % 30 %");
    expect(spoken()).toBe(`${timeText(1120)}, not complete: North 3 %, South 30 %`);
  });

  it("is told as that in the table, and not counted in the summary", () => {
    show(<Plot label="Decisions" times={times} series={series} text={percent} openFrom={1100} />);
    expect([...document.querySelectorAll("tbody th")].map((head) => head.textContent?.endsWith(", not complete"))).toEqual([false, false, true]);
    expect(canvas().getAttribute("aria-label")).toContain("North: 2 % at the end, from 1 % to 2 %");
  });
});

describe("the times beside an axis", () => {
  const at = (text: string): number => new Date(text).getTime() / 1000;

  it("are days where a day begins, and times of the day between", () => {
    const [first, second] = timesOf([at("2026-11-22T00:00:00"), at("2026-11-22T06:00:00")]);
    expect(first).toMatch(/22/);
    expect(second).toMatch(/^0?6:00/);
  });

  it("have seconds where they are closer than a minute", () => {
    expect(timesOf([at("2026-11-22T06:00:05"), at("2026-11-22T06:00:10")])[0]).toMatch(/00:05/);
  });

  // Every letter has 7 pixels.
  const measure = (text: string): number => 7 * text.length;

  it("are further apart than they are wide, whatever the language calls them", () => {
    expect(timeSpace(measure, 86_400, 300)).toBeGreaterThan(measure("22:48"));
    expect(timeSpace(() => 100, 86_400, 300)).toBeGreaterThan(100);
  });

  it("have more room where they have seconds", () => {
    expect(timeSpace(measure, 120, 600)).toBeGreaterThan(timeSpace(measure, 86_400, 600));
  });

  it("hang over by half of the longest", () => {
    expect(overhang(() => 70)).toBeGreaterThanOrEqual(35);
  });
});
