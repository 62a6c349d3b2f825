import { describe, expect, it } from "vitest";
import { difference } from "../../../../src/pages/audit/difference";

describe("the difference of two JSON texts", () => {
  it("names what was added, removed and changed, and what was not", () => {
    expect(difference('{"a":1,"b":"x","c":true}', '{"a":2,"c":true,"d":null}')).toEqual([
      { path: "a", change: "changed", before: "1", after: "2" },
      { path: "b", change: "removed", before: "x" },
      { path: "c", change: "same", before: "true", after: "true" },
      { path: "d", change: "added", after: "null" },
    ]);
  });

  it("goes into objects and lists of objects, and takes a list of values as one", () => {
    const fields = difference('{"tps":{"max":1},"list":[{"w":1},{"w":2}],"types":["SMS"],"none":[]}', '{"tps":{"max":2},"list":[{"w":1}],"types":["SMS","FLASH"],"none":[]}');
    expect(fields?.map(({ path, change }) => `${path} ${change}`)).toEqual(["tps.max changed", "list[0].w same", "list[1].w removed", "types changed", "none same"]);
  });

  it("tells an empty text from none", () => {
    expect(difference('{"notes":""}', "{}")).toEqual([{ path: "notes", change: "removed", before: "(empty)" }]);
  });

  it("keeps every digit of numbers of 64 bits", () => {
    expect(difference('{"nanos":9007199254740993}', '{"nanos":9007199254740992}')).toMatchObject([{ change: "changed", before: "9007199254740993", after: "9007199254740992" }]);
  });

  it("takes no content for nothing at all", () => {
    expect(difference("", '{"a":1}')).toEqual([{ path: "a", change: "added", after: "1" }]);
    expect(difference("", "")).toEqual([]);
  });

  it("gives up on what is no JSON", () => {
    expect(difference("{", "{}")).toBeUndefined();
  });

  it("is not fooled by names of the language", () => {
    expect(difference('{"__proto__":{"x":1},"constructor":2}', "{}")?.map(({ path }) => path)).toEqual(["__proto__.x", "constructor"]);
  });
});
