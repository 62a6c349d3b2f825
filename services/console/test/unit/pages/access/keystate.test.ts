import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { ApiKeySchema } from "@gen/access/v1/api_key_pb";
import { describe, expect, it } from "vitest";
import { isOwn, type KeyState, stateOf } from "../../../../src/pages/access/keystate";

const now = new Date("2026-11-22T02:00:00Z");
const at = (text: string) => timestampFromDate(new Date(text));

describe("the state of a key", () => {
  const cases: readonly (readonly [string, { expire?: string; revoke?: string }, KeyState])[] = [
    ["without end is live", {}, "live"],
    ["with an end far ahead is live", { expire: "2026-12-22T02:00:00Z" }, "live"],
    ["with a week left ends soon", { expire: "2026-11-29T02:00:00Z" }, "ending"],
    ["is expired at its very end", { expire: "2026-11-22T02:00:00Z" }, "expired"],
    ["is revoked, even when it would have expired too", { expire: "2026-11-01T00:00:00Z", revoke: "2026-10-01T00:00:00Z" }, "revoked"],
  ];
  it.each(cases)("%s", (_, { expire, revoke }, want) => {
    const key = create(ApiKeySchema, {
      ...(expire === undefined ? {} : { expireTime: at(expire) }),
      ...(revoke === undefined ? {} : { revokeTime: at(revoke) }),
    });
    expect(stateOf(key, now)).toBe(want);
  });
});

it("knows the key that somebody is signed in with by its whole id", () => {
  expect(isOwn("8f0c", "key:8f0c")).toBe(true);
  expect(isOwn("8f0c", "key:8f0c1")).toBe(false);
  expect(isOwn("alice", "jwt:alice")).toBe(false);
});
