import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { type BarRow, Bars } from "../../../src/parts/bars";
import { show } from "./stage";

const rows: BarRow[] = [
  { label: "EUR", bars: [{ word: "before", size: 200, text: "2.00" }, { word: "after", size: 50, text: "0.50" }] },
  { label: "USD", bars: [{ word: "before", size: -100, text: "-1.00" }, { word: "after", size: 0, text: "0.00" }] },
];

const widths = (): string[] => [...document.querySelectorAll<HTMLElement>("dd [aria-hidden] > span")].map((one) => one.style.width);

describe("bars", () => {
  it("say in text what each of them is and what it is worth", () => {
    show(<Bars label="Cost" rows={rows} />);
    expect(screen.getAllByRole("term").map((one) => one.textContent)).toEqual(["EUR", "USD"]);
    expect(screen.getAllByRole("definition").map((one) => one.textContent)).toEqual(["before2.00", "after0.50", "before-1.00", "after0.00"]);
  });

  it("are as long as they are large, beside the largest of all", () => {
    show(<Bars label="Cost" rows={rows} />);
    expect(widths()).toEqual(["100%", "25%", "50%", "0%"]);
  });

  it("have no length when there is nothing to compare", () => {
    show(<Bars label="Cost" rows={[{ label: "EUR", bars: [{ word: "before", size: 0, text: "0.00" }] }]} />);
    expect(widths()).toEqual(["0%"]);
  });
});
