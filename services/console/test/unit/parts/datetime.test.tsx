import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { fireEvent, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { DateTimeInput, exactText, fromLocal, gapComplaint, localText, readings } from "../../../src/parts/datetime";
import { show } from "./stage";

function utcOf(text: string): string | undefined {
  const time = fromLocal(text);
  return time === undefined ? undefined : timestampDate(time).toISOString();
}

const zone = (name: string): unknown => vi.stubEnv("TZ", name);
afterEach(() => {
  vi.unstubAllEnvs();
});

describe("a local time", () => {
  it.each([
    ["UTC", "2026-11-22T01:30", "2026-11-22T01:30:00.000Z"],
    ["Europe/Berlin", "2026-11-22T01:30", "2026-11-22T00:30:00.000Z"],
    ["Europe/Berlin", "2026-07-22T01:30", "2026-07-21T23:30:00.000Z"],
    ["Asia/Kolkata", "2026-11-22T01:30", "2026-11-21T20:00:00.000Z"],
    ["America/New_York", "2026-12-31T23:30", "2027-01-01T04:30:00.000Z"],
  ])("in %s, %s, is %s and back", (name, local, utc) => {
    zone(name);
    expect(utcOf(local)).toBe(utc);
    expect(localText(new Date(utc))).toBe(local);
  });

  it("that a change of the clock leaves out is the one an hour later", () => {
    zone("Europe/Berlin");
    expect(utcOf("2026-03-29T02:30")).toBe("2026-03-29T01:30:00.000Z");
    expect(localText(new Date("2026-03-29T01:30:00Z"))).toBe("2026-03-29T03:30");
  });

  it.each([
    ["Europe/Berlin", "2026-03-29T02:30", true],
    ["Europe/Berlin", "2026-03-29T02:00:30", true],
    ["Europe/Berlin", "2026-03-29T03:00", false],
    ["Europe/Berlin", "2026-03-29T01:59:30.500", false],
    ["America/New_York", "2026-03-29T02:30", false],
    ["Europe/Berlin", "", false],
  ])("in %s, %s, is complained about when the clock leaves it out: %s", (name, text, wrong) => {
    zone(name);
    expect(gapComplaint(text) !== undefined).toBe(wrong);
  });

  it.each(["2026-11-22T01:30:00Z", "2026-11-22T01:30:07Z", "2026-11-22T01:30:07.250Z", "2026-11-22T01:30:00.250Z"])("keeps %s exactly where that is asked for", (moment) => {
    const text = exactText(timestampFromDate(new Date(moment)));
    expect(utcOf(text)).toBe(new Date(moment).toISOString());
    expect(text.length).toBeLessThanOrEqual(moment.length - 1);
  });

  it("that comes twice is the first", () => {
    zone("Europe/Berlin");
    expect(utcOf("2026-10-25T02:30")).toBe("2026-10-25T00:30:00.000Z");
  });

  it.each([
    ["Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T02:30"],
    ["Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25T02:30+01:00"],
    ["Europe/Berlin", "2026-10-25T01:30:07.250Z", "2026-10-25T02:30:07.250+01:00"],
    ["Europe/Berlin", "2026-10-25T02:30:00Z", "2026-10-25T03:30"],
    ["America/New_York", "2026-11-01T06:15:00Z", "2026-11-01T01:15-05:00"],
    ["Australia/Lord_Howe", "2026-04-04T15:15:00Z", "2026-04-05T01:45+10:30"],
  ])("in %s, of %s, says its offset where it is the second one: %s", (name, moment, text) => {
    zone(name);
    expect(exactText(timestampFromDate(new Date(moment)))).toBe(text);
    expect(utcOf(text)).toBe(new Date(moment).toISOString());
    expect(gapComplaint(text)).toBeUndefined();
  });

  it.each([
    ["2026-10-25T02:30", ["2026-10-25T02:30", "2026-10-25T02:30+01:00"]],
    ["2026-10-25T02:30+01:00", ["2026-10-25T02:30", "2026-10-25T02:30+01:00"]],
    ["2026-10-25T03:00", ["2026-10-25T03:00"]],
    ["2026-10-25T01:59", ["2026-10-25T01:59"]],
    ["2026-03-29T02:30", ["2026-03-29T02:30"]],
    ["", []],
  ])("%j has the readings %j", (text, both) => {
    zone("Europe/Berlin");
    expect(readings(text)).toEqual(both);
  });

  it.each(["", "2026-11-22", "tomorrow", "2026-13-01T00:00", "2026-11-22T25:00"])("is none in %j", (text) => {
    expect(fromLocal(text)).toBeUndefined();
  });

  it("of no moment is empty", () => {
    expect(localText(undefined)).toBe("");
  });
});

describe("an input of a time", () => {
  it("says which zone counts, and the moment in UTC", () => {
    zone("America/New_York");
    show(<DateTimeInput label="From" value="2026-12-31T23:30" onChange={() => undefined} description="When prices change." />);
    const input = screen.getByLabelText("From");
    const text = document.getElementById(input.getAttribute("aria-describedby") ?? "")?.textContent;
    expect(text).toBe("When prices change. America/New_York, 2027-01-01 04:30 UTC");
  });

  it("says the zone before a time is given", () => {
    zone("Asia/Kolkata");
    show(<DateTimeInput label="From" value="" onChange={() => undefined} />);
    // Some systems still call it Calcutta.
    expect(document.getElementById(screen.getByLabelText("From").getAttribute("aria-describedby") ?? "")?.textContent).toMatch(/Time zone Asia\/(Kolkata|Calcutta)/);
  });

  it("says that the clock leaves the time out", () => {
    zone("Europe/Berlin");
    show(<DateTimeInput label="From" value="2026-03-29T02:30" onChange={() => undefined} />);
    expect(screen.getByLabelText("From").getAttribute("aria-invalid")).toBe("true");
    expect(screen.getByText(/leaves this time out/).tagName).toBe("P");
  });

  it("that comes twice asks which one is meant, and shows both offsets", () => {
    zone("Europe/Berlin");
    const change = vi.fn();
    show(<DateTimeInput label="From" value="2026-10-25T02:30" onChange={change} />);
    expect(screen.getByRole("radio", { name: "First, UTC+02:00" })).toHaveProperty("checked", true);
    fireEvent.click(screen.getByRole("radio", { name: "Second, UTC+01:00" }));
    expect(change.mock.calls).toEqual([["2026-10-25T02:30+01:00"]]);
    expect(screen.getByText("Europe/Berlin, 2026-10-25 00:30 UTC").tagName).toBe("P");
  });

  it("tells what was chosen", () => {
    const change = vi.fn();
    show(<DateTimeInput label="From" value="" onChange={change} error="Give a time." />);
    fireEvent.change(screen.getByLabelText("From"), { target: { value: "2026-11-22T01:30" } });
    expect(change.mock.calls).toEqual([["2026-11-22T01:30"]]);
    expect(screen.getByLabelText("From").getAttribute("aria-describedby")).toContain(screen.getByText("Give a time.").id);
  });
});
