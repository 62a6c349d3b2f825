import { describe, expect, it } from "vitest";
import { interaction, like, regex } from "./kit.js";
import { provider } from "./management.js";

const procedure = "trunkline.operators.v1.OutboxService/GetOutboxStatus";

describe("the outbox", () => {
  it("shows that nothing waits", () =>
    interaction(
      {
        provider,
        name: "the outbox after a change",
        states: [{ name: "the event of a change was published" }],
        procedure,
        request: {},
        response: { published: "1" },
      },
      async (api) => {
        const got = await api.outbox.getOutboxStatus({});
        expect(got).toMatchObject({ pending: 0n, pendingPublish: 0n, published: 1n, lastError: "" });
        expect(got.oldest).toBeUndefined();
      },
    ));

  it("shows events that wait, and why", () =>
    interaction(
      {
        provider,
        name: "the outbox while NATS is out of reach",
        states: [{ name: "an event waits because NATS is out of reach" }],
        procedure,
        request: {},
        response: { pendingPublish: "1", oldest: regex(/^\d+(\.\d+)?s$/, "1.500s"), lastError: like("NATS_UNAVAILABLE: why") },
      },
      async (api) => {
        const got = await api.outbox.getOutboxStatus({});
        expect(got).toMatchObject({ pendingPublish: 1n, oldest: { seconds: 1n, nanos: 500_000_000 }, lastError: "NATS_UNAVAILABLE: why" });
      },
    ));
});
