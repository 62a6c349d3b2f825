import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { Moment } from "../../../src/parts/moment";
import { show } from "./stage";

const year = new Date().getFullYear();
const at = (text: string) => timestampFromDate(new Date(text));

describe("a moment in a table", () => {
  it.each([
    ["of this year has no year", `${String(year)}-03-04T05:06:07`, false, false],
    ["of another year has it", `${String(year - 1)}-03-04T05:06:07`, false, true],
    ["has seconds where they are asked for", `${String(year)}-03-04T05:06:07`, true, false],
  ])("%s", (_, text, seconds, told) => {
    show(<Moment time={at(text)} seconds={seconds} />);
    const time = screen.getByRole("time");
    expect(/\d{4}/.test(time.textContent ?? "")).toBe(told);
    expect(time.textContent).toMatch(seconds ? /0?5:06:07/ : /0?5:06(?!:)/);
    expect(time.title).toMatch(/ UTC$/);
  });

  it("may cut the day, and never the time of the day", () => {
    show(<Moment time={at(`${String(year)}-03-04T05:06:07`)} />);
    const [day, clock] = screen.getByRole("time").querySelectorAll("span");
    expect(day?.className).toMatch(/day/);
    expect(clock?.className).toMatch(/clock/);
    expect(clock?.textContent).toMatch(/5:06/);
  });

  it("that is not known says so", () => {
    show(<Moment time={undefined} />);
    expect(screen.getByLabelText("no time").textContent).toBe("–");
  });
});
