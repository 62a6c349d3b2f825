import { create } from "@bufbuild/protobuf";
import { ReleaseSchema, ReleaseState } from "@gen/releases/v1/release_pb";
import { describe, expect, test } from "vitest";
import { unapprovedText } from "../../../../src/pages/releases/approvalneed";
import { canGoBack } from "../../../../src/pages/releases/rollback";

const { DRAFT, ACTIVE, RETIRED, SCHEDULED } = ReleaseState;
const release = (state: ReleaseState) => create(ReleaseSchema, { state, createdBy: "ann" });

describe("a release that nobody approved", () => {
  test.each([
    ["lacks nothing where no approval is required", DRAFT, false, "ann", "by nobody: none is required"],
    ["waits for another admin when its maker looks", DRAFT, true, "ann", "not yet; you made it, so another admin has to"],
    ["waits for an admin when somebody else looks", DRAFT, true, "bob", "not yet; an admin has to before it can be published"],
    ["is told as that where the setting is not known", DRAFT, undefined, "ann", "by nobody"],
    ["needed none when it was published", ACTIVE, true, "ann", "by nobody: none was required"],
  ])("%s", (_, state, required, caller, text) => {
    expect(unapprovedText(release(state), required, caller)).toBe(text);
  });
});

describe("a way back is offered", () => {
  test.each([
    ["when another release was in force", [ACTIVE, RETIRED], true],
    ["not with a single release", [ACTIVE], false],
    ["not to what was never in force", [ACTIVE, DRAFT, SCHEDULED], false],
    ["not before releases are known", undefined, false],
  ])("%s", (_, states, offered) => {
    expect(canGoBack(states?.map(release))).toBe(offered);
  });
});
