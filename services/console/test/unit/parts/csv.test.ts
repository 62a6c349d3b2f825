import { describe, expect, it } from "vitest";
import { csvText } from "../../../src/parts/csv";

const one = (text: string, own?: true): string =>
  csvText([text], [{ name: "a", value: (row: string) => row, ...(own === undefined ? {} : { own }) }]).split("\r\n").slice(1, -1).join("\r\n");

describe("csvText", () => {
  it("has a header, and ends every line", () => {
    const columns = [
      { name: "prefix", value: (row: { p: string; n: string }) => row.p },
      { name: "name", value: (row: { p: string; n: string }) => row.n },
    ];
    expect(csvText([{ p: "+49", n: "A" }], columns)).toBe('prefix,name\r\n"+49",A\r\n');
    expect(csvText([], columns)).toBe("prefix,name\r\n");
  });

  it.each([
    ["plain", "plain"],
    ["a,b", '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ["two\nlines", '"two\nlines"'],
    [" space", '" space"'],
    ["", ""],
  ])("quotes %j", (text, expected) => {
    expect(one(text)).toBe(expected);
  });

  it.each([
    ["=1+1", "'=1+1"],
    ["=HYPERLINK(\"x\")", '"\'=HYPERLINK(""x"")"'],
    ["@sum", "'@sum"],
    ["+49-1", "'+49-1"],
    ["-cmd", "'-cmd"],
    ["\t=1", "'\t=1"],
  ])("does not let a spreadsheet run %j", (text, expected) => {
    expect(one(text)).toBe(expected);
  });

  it.each(["+49", "+4915112345", "-0.5", "+0.012500"])("leaves the signed number %j as it is", (text) => {
    expect(one(text)).toBe(`"${text}"`);
  });

  it("never alters what our importers read back", () => {
    expect(one("=x", true)).toBe('"=x"');
    expect(one("-note", true)).toBe('"-note"');
  });
});
