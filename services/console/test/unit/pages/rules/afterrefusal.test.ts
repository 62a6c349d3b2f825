import { Code, ConnectError } from "@connectrpc/connect";
import { describe as words } from "../../../../src/api/errors";
import { describe, expect, it } from "vitest";
import type { Refusal } from "../../../../src/pages/rules/conflicts";
import { afterRefusal, type LiveFindings } from "../../../../src/pages/rules/livefindings";

const refused = (duplicate: string): Refusal => ({ problem: words(new ConnectError("no", Code.AlreadyExists)), findings: [], duplicate });
const live = (state: LiveFindings["state"], duplicate = ""): LiveFindings => ({ state, findings: [], duplicate });

describe("after a refusal", () => {
  it.each([
    ["a duplicate is told while the check has not answered", live("checking"), refused("r1"), "r1"],
    ["the answer of the check counts", live("done"), refused("r1"), ""],
    ["a check that found another one counts", live("checking", "r2"), refused("r1"), "r2"],
    ["nothing is told of a form that has nothing to check", live("waiting"), refused("r1"), ""],
    ["a refusal for something else changes nothing", live("checking"), refused(""), ""],
    ["without one nothing changes", live("checking"), undefined, ""],
  ])("%s", (_, found, refusal, duplicate) => {
    expect(afterRefusal(found, refusal).duplicate).toBe(duplicate);
  });
});
