import { create } from "@bufbuild/protobuf";
import { OperatorSchema, OperatorStatus } from "@gen/operators/v1/operator_pb";
import { describe, expect, it } from "vitest";
import { twinOf } from "../../../../src/pages/operators/duplicate";
import { movesFrom, wayBack } from "../../../../src/pages/operators/usestatus";
import {
  blank, changedFields, complaints, maskOf, operatorOf, type OperatorValues, passwordComplaint, rebinds, valuesOf,
} from "../../../../src/pages/operators/values";

const acme: OperatorValues = { ...blank, name: "Acme", host: "smpp.acme.example", systemId: "acme", maxTps: "100" };

function complaint<F extends keyof typeof complaints>(field: F, value: OperatorValues[F]): string | null {
  const check = complaints[field] as ((value: OperatorValues[F]) => string | null) | undefined;
  return check?.(value) ?? null;
}

describe("what is wrong with a field", () => {
  it.each([
    ["a name of one character", "name", "A"],
    ["a name of another script", "name", "Türk Telekom"],
    ["a host name", "host", "smpp-1.acme.example"],
    ["a host name in capitals, which is stored in small letters", "host", "SMPP.acme.example"],
    ["an IPv4 address", "host", "192.0.2.7"],
    ["an IPv6 address", "host", "2001:db8::7"],
    ["the last port", "port", "65535"],
    ["a system_id with punctuation", "systemId", "acme_tl-01"],
    ["no system_type", "systemType", ""],
    ["a burst with a comma", "burstMultiplier", "1,5"],
    ["notes with line ends and tabs", "notes", "first\n\tsecond"],
    ["markup in notes, which is text", "notes", "<script>alert(1)</script>"],
  ] as const)("nothing: %s", (_, field, value) => {
    expect(complaint(field, value)).toBeNull();
  });

  it.each([
    ["no name", "name", " ", /Give a name/],
    ["a name that is a UUID", "name", "0190c0de-0000-7000-8000-000000000001", /UUID/],
    ["a name of 101 characters", "name", "a".repeat(101), /100/],
    ["a host with a scheme", "host", "smpp://acme.example", /scheme/],
    ["a host with a port", "host", "acme.example:2775", /port/],
    ["a host with a path", "host", "acme.example/x", /path/],
    ["a label that ends with a hyphen", "host", "acme-.example", /hyphens/],
    ["an IPv4 address out of range", "host", "192.0.2.256", /IPv4/],
    ["three numbers", "host", "192.0.2", /IPv4/],
    ["port 0", "port", "0", /1 to 65535/],
    ["a port with a sign", "port", "+1", /whole number/],
    ["a system_id of 16 characters", "systemId", "a".repeat(16), /15/],
    ["a system_id with an umlaut", "systemId", "ä", /ASCII/],
    ["a system_id that begins with a space", "systemId", " a", /space/],
    ["no TPS limit", "maxTps", "", /whole number/],
    ["a TPS limit beyond int32", "maxTps", "2147483648", /whole number/],
    ["a burst below 1", "burstMultiplier", "0.9", /1 to 100/],
    ["a burst in words", "burstMultiplier", "two", /1 to 100/],
    ["2001 characters of notes", "notes", "a".repeat(2001), /2000/],
    ["a bell in notes", "notes", "\u0007", /control/],
  ] as const)("%s", (_, field, value, words) => {
    expect(complaint(field, value)).toMatch(words);
  });

  it("no message type at all", () => {
    expect(complaint("messageTypes", [])).toMatch(/Choose one/);
  });

  it("tells of a password without repeating it", () => {
    expect(passwordComplaint("", false)).toBeNull();
    expect(passwordComplaint("", true)).toMatch(/Give/);
    expect(passwordComplaint("geheim-ä", true)).not.toContain("geheim");
    expect(passwordComplaint("a".repeat(65), true)).toMatch(/64/);
  });
});

describe("an operator as values and back", () => {
  it("stays the same", () => {
    const operator = create(OperatorSchema, operatorOf({ ...acme, burstMultiplier: "2", messageTypes: ["3", "1"], notes: "call Ann" }));
    expect(changedFields(valuesOf(operator), { ...acme, burstMultiplier: "2", messageTypes: ["1", "3"], notes: "call Ann" })).toEqual([]);
  });

  it("names exactly the changed fields in the mask", () => {
    const changed = changedFields(acme, { ...acme, host: "b.example", maxTps: "5", messageTypes: ["1", "2"] });
    expect(maskOf(changed)).toEqual(["host", "tps_limit.max_tps", "message_types"]);
  });

  it("binds anew after a change of the connection only", () => {
    expect(rebinds(["notes", "maxTps"])).toBe(false);
    expect(rebinds(["notes", "systemType"])).toBe(true);
  });
});

describe("who is in the way", () => {
  const live = [
    create(OperatorSchema, { operatorId: "1", name: "Acme", host: "a.example", port: 2775, systemId: "a" }),
    create(OperatorSchema, { operatorId: "2", name: "Other", host: "b.example", port: 2775, systemId: "b" }),
  ];
  it("the operator of the same name", () => {
    expect(twinOf({ ...acme, name: "Acme " }, live)).toMatchObject({ operator: { operatorId: "1" }, by: "name" });
  });
  it("the operator of the same connection", () => {
    expect(twinOf({ ...acme, name: "New", host: "B.example", systemId: "b" }, live)).toMatchObject({ operator: { operatorId: "2" }, by: "connection" });
  });
  it("never the operator itself", () => {
    expect(twinOf(acme, live, "1")).toBeUndefined();
  });
});

describe("changes of status", () => {
  const { ACTIVE, INACTIVE, SUSPENDED } = OperatorStatus;
  it.each([
    ["an active operator can be taken down in three ways", ACTIVE, false, ["suspend", "deactivate", "delete"]],
    ["a suspended one can come back", SUSPENDED, true, ["deactivate", "delete"]],
    ["an inactive one can be activated or deleted", INACTIVE, true, ["delete"]],
  ] as const)("%s", (_, status, activate, ways) => {
    expect(movesFrom(status)).toEqual({ activate, takedowns: ways });
  });

  it.each([
    ["suspending is undone by activating", ACTIVE, SUSPENDED, "activate"],
    ["deactivating an active one too", ACTIVE, INACTIVE, "activate"],
    ["activating a suspended one is undone by suspending", SUSPENDED, ACTIVE, "suspend"],
    ["activating an inactive one is undone by deactivating", INACTIVE, ACTIVE, "deactivate"],
    ["deactivating a suspended one has no way back but over active", SUSPENDED, INACTIVE, undefined],
  ] as const)("%s", (_, from, to, way) => {
    expect(wayBack(from, to)).toBe(way);
  });
});
