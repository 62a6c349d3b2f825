import { Code } from "@connectrpc/connect";
import { Role } from "@gen/options/v1/access_pb.js";
import { describe, expect, it } from "vitest";
import { accounts, acme, actor, calledBy, provider } from "./access.js";
import { errorInfo, failure, interaction, refused, said } from "./kit.js";

const procedure = "trunkline.access.v1.CallerService/GetCaller";

describe("the caller", () => {
  it("is told its name and role", () =>
    interaction(
      { provider, name: "who calls: an admin", states: [], procedure, request: {}, response: { name: actor, role: "ROLE_ADMIN" } },
      async (api) => {
        const got = await api.caller.getCaller({});
        expect(got).toMatchObject({ role: Role.ADMIN, accountId: "" });
        expect(got.name).toMatch(/^key:/);
      },
    ));

  it("is told the account that it is bound to", () =>
    interaction(
      { provider, name: "who calls: a viewer of an account", states: [accounts(acme), calledBy("ROLE_VIEWER", acme.accountId)], procedure, request: {}, response: { name: actor, role: "ROLE_VIEWER", accountId: acme.accountId } },
      async (api) => {
        expect(await api.caller.getCaller({})).toMatchObject({ role: Role.VIEWER, accountId: acme.accountId });
      },
    ));

  it("is not known without a credential", () =>
    interaction(
      { provider, name: "who calls: nobody", states: [{ name: "the caller shows no credential" }], procedure, request: {}, status: 401, response: refused("unauthenticated", errorInfo("CREDENTIAL_REQUIRED")) },
      async (api) => {
        const e = await failure(api.caller.getCaller({}));
        expect(e.code).toBe(Code.Unauthenticated);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "CREDENTIAL_REQUIRED" });
      },
    ));
});
