import { create } from "@bufbuild/protobuf";
import { timestampDate, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { momentComplaint } from "../../../../src/pages/releases/moment";
import { complaints, replayRequest, usualInput } from "../../../../src/pages/releases/replayinput";
import { localText } from "../../../../src/parts/datetime";

const now = new Date("2026-11-22T12:00:00Z");
const local = (iso: string) => localText(new Date(iso));
const ids = { releaseId: "r", baseReleaseId: "b", down: ["o"] };

describe("what is wrong with a replay", () => {
  test.each([
    ["is nothing at first", {}, undefined, []],
    ["is a file that is missing", { sample: "file" }, undefined, ["file"]],
    ["is an empty file", { sample: "file" }, new File([], "n.csv"), ["file"]],
    ["is not the log when there is a file", { sample: "file", limit: "x" }, new File(["+44"], "n.csv"), []],
    ["is a limit that is no number", { limit: "many" }, undefined, ["limit"]],
    ["is a limit above a million", { limit: "1000001" }, undefined, ["limit"]],
    ["is a time without a start", { since: "range" }, undefined, ["from"]],
    ["is an end before the start", { since: "range", from: local("2026-11-22T10:00:00Z"), to: local("2026-11-22T09:00:00Z") }, undefined, ["to"]],
    ["is a moment that is none", { at: "soon" }, undefined, ["at"]],
  ])("%s", (_, change, file, fields) => {
    expect(Object.keys(complaints({ ...usualInput, ...change }, file))).toEqual(fields);
  });
});

describe("the request of a replay", () => {
  test("asks the log for the last 24 hours unless told", () => {
    const { sample, ...rest } = replayRequest(usualInput, ids, now);
    expect(rest).toEqual({ releaseId: "r", baseReleaseId: "b", downOperatorIds: ["o"] });
    const value = sample?.case === "decisions" ? sample.value : undefined;
    expect(timestampDate(create(TimestampSchema, value?.fromTime))).toEqual(new Date("2026-11-21T12:00:00Z"));
    expect(value?.limit).toBe(0);
  });

  test("sends the file as it is", () => {
    const csv = new TextEncoder().encode("+447911123456\n");
    expect(replayRequest({ ...usualInput, sample: "file" }, ids, now, csv).sample).toEqual({ case: "csv", value: csv });
  });
});

describe("the moment of a scheduled release", () => {
  test.each([
    ["may come soon", "2026-11-22T12:10:00Z", true],
    ["may be 90 days ahead", "2027-02-20T11:00:00Z", true],
    ["may not be later", "2027-02-21T13:00:00Z", false],
    ["may not have passed", "2026-11-22T11:00:00Z", false],
  ])("%s", (_, moment, good) => {
    expect(momentComplaint(local(moment), now) === undefined).toBe(good);
  });

  test("must be one", () => {
    expect(momentComplaint("", now)).toBe("Give a date and a time.");
  });
});
