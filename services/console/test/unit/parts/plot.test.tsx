import { act, fireEvent, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { Plot } from "../../../src/parts/plot";
import { dataOf, timesOf } from "../../../src/parts/plotdata";
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
    expect(screen.getByText("Nothing was decided")).toBeDefined();
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
    expect(dataOf(times, series, "stacked")).toEqual([times, [11, 2, 33], [1, 2, 3]]);
    expect(dataOf(times, series, "lines")).toEqual([times, [1, 2, 3], [10, null, 30]]);
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
});
