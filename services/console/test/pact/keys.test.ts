import { Code } from "@connectrpc/connect";
import { Role } from "@gen/options/v1/access_pb.js";
import { describe, expect, it } from "vitest";
import { accounts, acme, calledBy, key, keyOf, nobody, provider, requestId, shownKey, text } from "./access.js";
import { errorInfo, failure, interaction, refused, said, timestamp } from "./kit.js";

const service = "trunkline.access.v1.ApiKeyService";
const portal = { name: "portal", role: "ROLE_VIEWER", accountId: acme.accountId, lifetime: "7776000s" };

describe("API keys", () => {
  it("are shown once, when they are made", () =>
    interaction(
      {
        provider, name: "a new API key", states: [accounts(acme)], procedure: `${service}/CreateApiKey`, request: { ...portal, requestId },
        response: { apiKey: shownKey("portal", "ROLE_VIEWER", { accountId: acme.accountId, expireTime: timestamp("2027-02-19T12:00:00Z") }), text },
      },
      async (api) => {
        const got = await api.keys.createApiKey({ name: "portal", role: Role.VIEWER, accountId: acme.accountId, lifetime: { seconds: 7_776_000n, nanos: 0 }, requestId });
        expect(got.text).toHaveLength(74);
        expect(got.apiKey).toMatchObject({ name: "portal", role: Role.VIEWER, accountId: acme.accountId });
        expect(got.apiKey?.expireTime).toBeDefined();
        expect(got.apiKey?.revokeTime).toBeUndefined();
      },
    ));

  it("may have no more rights than who makes them", () =>
    interaction(
      {
        provider, name: "a new API key for another account than the caller's", states: [accounts(acme), calledBy("ROLE_ADMIN", acme.accountId)],
        procedure: `${service}/CreateApiKey`, request: { name: "x", role: "ROLE_VIEWER", accountId: nobody, requestId },
        status: 403, response: refused("permission_denied", errorInfo("ACCOUNT_MISMATCH")),
      },
      async (api) => {
        const e = await failure(api.keys.createApiKey({ name: "x", role: Role.VIEWER, accountId: nobody, requestId }));
        expect(e.code).toBe(Code.PermissionDenied);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "ACCOUNT_MISMATCH" });
      },
    ));

  it("of an account are listed, without their texts", () =>
    interaction(
      {
        provider, name: "the API keys of an account", states: [accounts(acme), key(portal)], procedure: `${service}/ListApiKeys`, request: { accountId: acme.accountId },
        response: { apiKeys: [shownKey("portal", "ROLE_VIEWER", { accountId: acme.accountId })] },
      },
      async (api) => {
        const { apiKeys } = await api.keys.listApiKeys({ accountId: acme.accountId });
        expect(apiKeys).toHaveLength(1);
        expect(apiKeys[0]).toMatchObject({ name: "portal", hint: "tl_0SxZi1c5", role: Role.VIEWER });
        expect(apiKeys[0]?.lastUsedTime).toBeUndefined();
      },
    ));

  it("that ended are listed when asked for", () =>
    interaction(
      {
        provider, name: "ended API keys too", states: [accounts(acme), key(portal, true)], procedure: `${service}/ListApiKeys`, request: { accountId: acme.accountId, showEnded: true },
        response: { apiKeys: [shownKey("portal", "ROLE_VIEWER", { revokeTime: timestamp("2026-11-21T13:00:00Z") })] },
      },
      async (api) => {
        const { apiKeys } = await api.keys.listApiKeys({ accountId: acme.accountId, showEnded: true });
        expect(apiKeys[0]?.revokeTime).toBeDefined();
      },
    ));

  it("are not shown to viewers", () =>
    interaction(
      {
        provider, name: "a list of API keys for a viewer", states: [calledBy("ROLE_VIEWER")], procedure: `${service}/ListApiKeys`, request: {},
        status: 403, response: refused("permission_denied", errorInfo("ROLE_TOO_LOW")),
      },
      async (api) => {
        const e = await failure(api.keys.listApiKeys({}));
        expect(e.code).toBe(Code.PermissionDenied);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "ROLE_TOO_LOW" });
      },
    ));

  it("are replaced by others, shown once", () =>
    interaction(
      {
        provider, name: "an API key in place of another", states: [accounts(acme), key(portal)], procedure: `${service}/RotateApiKey`,
        request: { keyId: keyOf("portal"), overlap: "3600s", requestId },
        response: { apiKey: shownKey("portal", "ROLE_VIEWER", { accountId: acme.accountId }), text },
      },
      async (api) => {
        const got = await api.keys.rotateApiKey({ keyId: nobody, overlap: { seconds: 3600n, nanos: 0 }, requestId });
        expect(got.text).toHaveLength(74);
        expect(got.apiKey?.name).toBe("portal");
      },
    ));

  it("that ended have no successor", () =>
    interaction(
      {
        provider, name: "an API key in place of one that ended", states: [accounts(acme), key(portal, true)], procedure: `${service}/RotateApiKey`,
        request: { keyId: keyOf("portal"), requestId }, status: 400, response: refused("failed_precondition", errorInfo("KEY_ENDED")),
      },
      async (api) => {
        const e = await failure(api.keys.rotateApiKey({ keyId: nobody, requestId }));
        expect(e.code).toBe(Code.FailedPrecondition);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "KEY_ENDED" });
      },
    ));

  it("are revoked", () =>
    interaction(
      {
        provider, name: "the end of an API key", states: [accounts(acme), key(portal)], procedure: `${service}/RevokeApiKey`, request: { keyId: keyOf("portal"), requestId },
        response: { apiKey: shownKey("portal", "ROLE_VIEWER", { revokeTime: timestamp("2026-11-21T13:00:00Z") }) },
      },
      async (api) => {
        expect((await api.keys.revokeApiKey({ keyId: nobody, requestId })).apiKey?.revokeTime).toBeDefined();
      },
    ));

  it("that do not exist are told so", () =>
    interaction(
      {
        provider, name: "the end of an API key that does not exist", states: [], procedure: `${service}/RevokeApiKey`, request: { keyId: nobody, requestId },
        status: 404, response: refused("not_found", errorInfo("NO_SUCH_KEY")),
      },
      async (api) => {
        const e = await failure(api.keys.revokeApiKey({ keyId: nobody, requestId }));
        expect(e.code).toBe(Code.NotFound);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "NO_SUCH_KEY" });
      },
    ));
});
