import { expect, it } from "vitest";
import { shortId } from "../../../src/parts/shortid";

it.each([
  ["is its end, which tells it from others of the same minute", "01a201fb-307d-7ad7-b102-f84bb9a59361", "…b9a59361"],
  ["is all of it where there is not much", "other", "other"],
])("a short id %s", (_, id, text) => {
  expect(shortId(id)).toBe(text);
});
