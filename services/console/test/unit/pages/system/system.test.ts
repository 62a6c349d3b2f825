import { describe, expect, it } from "vitest";
import { byTrouble, healthOf } from "../../../../src/live/dependencies";
import { verdictOf } from "../../../../src/pages/system/dependenciestab";
import { stateOf } from "../../../../src/pages/system/eventstab";
import { matching } from "../../../../src/pages/system/settings";

describe("the page /health/detailed", () => {
  it("is read", () => {
    const body = {
      ready: true,
      dependencies: [
        { name: "nats", required: false, state: "down", latency_ms: 1.5, since: "2026-11-22T02:00:00Z", checked_at: "2026-11-22T02:01:00Z", last_error: "timeout" },
      ],
    };
    expect(healthOf(body)).toEqual({
      ready: true,
      dependencies: [
        {
          name: "nats", required: false, state: "down", latency: 1.5, lastError: "timeout",
          since: new Date("2026-11-22T02:00:00Z"), checked: new Date("2026-11-22T02:01:00Z"),
        },
      ],
    });
  });

  it.each([
    ["nothing", null, { ready: false, dependencies: [] }],
    ["a text", "<html>", { ready: false, dependencies: [] }],
    ["a state of another version", { ready: true, dependencies: [{ name: "x", state: "frozen" }] }, {
      ready: true, dependencies: [{ name: "x", required: false, state: "unknown", latency: 0, lastError: "" }],
    }],
    ["a row without a name", { ready: true, dependencies: [{ state: "up" }, 7] }, { ready: true, dependencies: [] }],
  ])("%s is never taken for up", (_, body, health) => {
    expect(healthOf(body)).toEqual(health);
  });
});

const row = (name: string, state: "up" | "down" | "unknown", required: boolean) => ({ name, state, required, latency: 0, lastError: "" });

it("what is down and required comes first", () => {
  const rows = [row("b", "up", false), row("a", "up", false), row("c", "unknown", true), row("d", "down", false), row("e", "down", true)];
  expect([...rows].sort(byTrouble).map(({ name }) => name).join("")).toBe("edcab");
});

it.each([
  ["all is up", { ready: true, dependencies: [row("a", "up", true)] }, "Ready"],
  ["an optional one is down", { ready: true, dependencies: [row("a", "down", false)] }, "Ready, degraded"],
  ["a required one is down", { ready: false, dependencies: [row("a", "down", true)] }, "Not ready"],
  ["it drains", { ready: false, dependencies: [row("a", "up", true)] }, "Not ready"],
])("readiness when %s", (_, health, word) => {
  expect(verdictOf(health)[1]).toBe(word);
});

const waits = (seconds: bigint) => ({ $typeName: "google.protobuf.Duration" as const, seconds, nanos: 0 });
it.each([
  ["nothing waits", { pending: 0n, pendingPublish: 0n }, "Empty"],
  ["events are on their way", { pending: 3n, pendingPublish: 0n, oldest: waits(1n) }, "Publishing"],
  ["some failed", { pending: 0n, pendingPublish: 1n, oldest: waits(9n) }, "Retrying"],
  ["the oldest waits for more than a minute", { pending: 1n, pendingPublish: 0n, oldest: waits(61n) }, "Stuck"],
])("the outbox when %s", (_, outbox, word) => {
  expect(stateOf(outbox)[1]).toBe(word);
});

describe("settings", () => {
  const all = [
    { key: "server.addr", value: ":8081", origin: "flag --addr" },
    { key: "log.level", value: "INFO", origin: "default" },
    { key: "access.keys.pepper", value: "[redacted]", origin: "environment" },
  ];
  it.each([
    ["nothing is searched", "", false, "server.addr log.level access.keys.pepper"],
    ["every word has to be there", "server FLAG", false, "server.addr"],
    ["not default", "", true, "server.addr access.keys.pepper"],
    ["hidden ones are found by that word", "hidden", false, "access.keys.pepper"],
    ["both", "level", true, ""],
  ])("%s", (_, search, changedOnly, keys) => {
    expect(matching(all, search, changedOnly).map(({ key }) => key).join(" ")).toBe(keys);
  });
});
