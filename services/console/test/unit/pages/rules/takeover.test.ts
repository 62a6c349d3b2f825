import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { MessageType } from "@gen/routing/v1/types_pb";
import { describe, expect, it } from "vitest";
import { heirs, prefixesOf, stateOf, witnessOf } from "../../../../src/pages/rules/takeover";
import { account, rule } from "./make";

const now = new Date("2027-01-01T00:00:00Z");
const before = timestampFromDate(new Date("2026-12-31T00:00:00Z"));
const after = timestampFromDate(new Date("2027-01-02T00:00:00Z"));
const gone = rule({ ruleId: "gone", prefix: "+4479" });

/** "types: rule", by prefix and owner. */
function told(others: Parameters<typeof heirs>[1], of = gone): string[] {
  return heirs(of, others, now).map(({ types, rule: heir }) => {
    const who = heir === undefined ? "no route" : `${heir.accountId === "" ? "global" : "own"} ${heir.prefix}`;
    return `${types.map((type) => MessageType[type]).join(" ")}: ${who}`;
  });
}

describe("who answers once a rule is gone", () => {
  const own = rule({ ruleId: "gone", accountId: account, prefix: "+4479" });

  it.each<[string, Parameters<typeof heirs>[1], string[]]>([
    ["nobody without other rules", [gone], ["SMS FLASH WAP: no route"]],
    ["the longest of the shorter prefixes", [rule({ prefix: "+4" }), rule({ prefix: "+447" }), rule({ prefix: "+44" })], ["SMS FLASH WAP: global +447"]],
    ["no longer prefix and no other one", [rule({ prefix: "+44791" }), rule({ prefix: "+45" })], ["SMS FLASH WAP: no route"]],
    ["no rule of an account, for all the others", [rule({ prefix: "+447", accountId: account })], ["SMS FLASH WAP: no route"]],
    ["no rule that is switched off", [rule({ prefix: "+447", active: false }), rule({ prefix: "+4" })], ["SMS FLASH WAP: global +4"]],
    ["no rule before its time", [rule({ prefix: "+447", validFrom: after })], ["SMS FLASH WAP: no route"]],
    ["no rule after its time", [rule({ prefix: "+447", validTo: before })], ["SMS FLASH WAP: no route"]],
    ["each type by the rule that is for it", [rule({ prefix: "+447", messageTypes: [MessageType.FLASH] }), rule({ prefix: "+44" })], ["SMS WAP: global +44", "FLASH: global +447"]],
    ["another rule of the same prefix", [rule({ prefix: "+4479", messageTypes: [MessageType.SMS] })], ["SMS: global +4479", "FLASH WAP: no route"]],
  ])("is %s", (_, others, want) => {
    expect(told(others)).toEqual(want);
  });

  it("is the account's own rule before the global one of the same prefix", () => {
    expect(told([rule({ prefix: "+44" }), rule({ prefix: "+44", accountId: account }), rule({ prefix: "+447", accountId: "another" })], own)).toEqual([
      "SMS FLASH WAP: own +44",
    ]);
  });

  it("is told for the types of the rule alone", () => {
    expect(told([], rule({ ruleId: "gone", messageTypes: [MessageType.WAP] }))).toEqual(["WAP: no route"]);
  });
});

describe("a rule", () => {
  it.each([
    ["counts", rule(), "on"],
    ["is switched off", rule({ active: false }), "off"],
    ["is not in force yet", rule({ validFrom: after }), "early"],
    ["is no longer in force", rule({ validTo: before }), "ended"],
    ["counts from its first moment on", rule({ validFrom: timestampFromDate(now) }), "on"],
    ["ends at its last moment", rule({ validTo: timestampFromDate(now) }), "ended"],
  ])("%s", (_, one, want) => {
    expect(stateOf(one, now)).toBe(want);
  });
});

describe("a made-up number", () => {
  it.each([
    ["fills the prefix up", "+44", [], "+44000000000"],
    ["stays out of longer prefixes", "+44", ["+44", "+440", "+441"], "+44222222222"],
    ["is the first one when longer prefixes take all", "+44", Array.from({ length: 10 }, (_, digit) => `+44${String(digit)}`), "+44000000000"],
    ["is the prefix when there is no room", "+441234567890", [], "+441234567890"],
  ])("%s", (_, prefix, longer, want) => {
    expect(witnessOf(prefix, longer)).toBe(want);
  });

  it("comes with the prefixes that it falls to", () => {
    expect(prefixesOf("+447")).toEqual(["+447", "+44", "+4"]);
  });
});
