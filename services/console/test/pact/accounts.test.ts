import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { accounts, acme, beta, calledBy, etagOf, nobody, provider, requestId, shown } from "./access.js";
import { badRequest, errorInfo, failure, interaction, refused, said, uuid } from "./kit.js";

const service = "trunkline.access.v1.AccountService";

describe("accounts", () => {
  it("are listed by name", () =>
    interaction(
      { provider, name: "a list of accounts", states: [accounts(acme, beta)], procedure: `${service}/ListAccounts`, request: { pageSize: 100 }, response: { accounts: [shown(acme), shown(beta)] } },
      async (api) => {
        const { accounts: got, nextPageToken } = await api.accounts.listAccounts({ pageSize: 100 });
        expect(got.map(({ name }) => name)).toEqual(["Acme", "Beta"]);
        expect(got[0]).toMatchObject({ ...acme, etag: "an etag" });
        expect(nextPageToken).toBe("");
      },
    ));

  it("are found by a part of the name", () =>
    interaction(
      { provider, name: "a search for accounts", states: [accounts(acme, beta)], procedure: `${service}/ListAccounts`, request: { search: "bet" }, response: { accounts: [shown(beta)] } },
      async (api) => {
        expect((await api.accounts.listAccounts({ search: "bet" })).accounts.map(({ name }) => name)).toEqual(["Beta"]);
      },
    ));

  it("are the caller's own for who is bound to one", () =>
    interaction(
      { provider, name: "a list of accounts for a bound caller", states: [accounts(acme, beta), calledBy("ROLE_VIEWER", beta.accountId)], procedure: `${service}/ListAccounts`, request: {}, response: { accounts: [shown(beta)] } },
      async (api) => {
        expect((await api.accounts.listAccounts({})).accounts.map(({ name }) => name)).toEqual(["Beta"]);
      },
    ));

  it("are shown one by one", () =>
    interaction(
      { provider, name: "an account", states: [accounts(acme)], procedure: `${service}/GetAccount`, request: { accountId: acme.accountId }, response: { account: shown(acme) } },
      async (api) => {
        expect((await api.accounts.getAccount({ accountId: acme.accountId })).account).toMatchObject(acme);
      },
    ));

  it("that do not exist are told so", () =>
    interaction(
      { provider, name: "an account that does not exist", states: [accounts(acme)], procedure: `${service}/GetAccount`, request: { accountId: nobody }, status: 404, response: refused("not_found", errorInfo("NO_SUCH_ACCOUNT")) },
      async (api) => {
        const e = await failure(api.accounts.getAccount({ accountId: nobody }));
        expect(e.code).toBe(Code.NotFound);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "NO_SUCH_ACCOUNT" });
      },
    ));

  it("are made", () =>
    interaction(
      { provider, name: "a new account", states: [], procedure: `${service}/CreateAccount`, request: { account: { name: "Gamma", notes: "New" }, requestId }, response: { account: shown({ accountId: uuid(acme.accountId), name: "Gamma", notes: "New" }) } },
      async (api) => {
        const { account } = await api.accounts.createAccount({ account: { name: "Gamma", notes: "New" }, requestId });
        expect(account).toMatchObject({ accountId: acme.accountId, name: "Gamma", notes: "New", etag: "an etag" });
      },
    ));

  it("have names of their own", () =>
    interaction(
      { provider, name: "a new account with the name of another", states: [accounts(acme)], procedure: `${service}/CreateAccount`, request: { account: { name: "Acme" }, requestId }, status: 409, response: refused("already_exists", errorInfo("DUPLICATE_ACCOUNT")) },
      async (api) => {
        const e = await failure(api.accounts.createAccount({ account: { name: "Acme" }, requestId }));
        expect(e.code).toBe(Code.AlreadyExists);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "DUPLICATE_ACCOUNT" });
      },
    ));

  it("are refused at the field that is wrong", () =>
    interaction(
      { provider, name: "a new account without a name", states: [], procedure: `${service}/CreateAccount`, request: { account: { notes: "x" }, requestId }, status: 400, response: refused("invalid_argument", badRequest({ field: "account.name", example: "account.name" })) },
      async (api) => {
        const e = await failure(api.accounts.createAccount({ account: { notes: "x" }, requestId }));
        expect(e.code).toBe(Code.InvalidArgument);
        expect(said(e, "google.rpc.BadRequest")).toMatchObject({ fieldViolations: [{ field: "account.name" }] });
      },
    ));

  it("change by field, guarded by the etag", () =>
    interaction(
      {
        provider, name: "a change of an account", states: [accounts(acme)], procedure: `${service}/UpdateAccount`,
        request: { account: { accountId: acme.accountId, notes: "Contract 43", etag: etagOf(acme.accountId) }, updateMask: "notes", requestId },
        response: { account: shown({ ...acme, notes: "Contract 43" }) },
      },
      async (api) => {
        const { account } = await api.accounts.updateAccount({ account: { accountId: acme.accountId, notes: "Contract 43", etag: "an etag" }, updateMask: { paths: ["notes"] }, requestId });
        expect(account).toMatchObject({ name: "Acme", notes: "Contract 43" });
      },
    ));

  it("that somebody else changed meanwhile are not overwritten", () =>
    interaction(
      {
        provider, name: "a change of an account that was changed meanwhile", states: [accounts(acme)], procedure: `${service}/UpdateAccount`,
        request: { account: { accountId: acme.accountId, notes: "x", etag: "another" }, updateMask: "notes", requestId },
        status: 409, response: refused("aborted", errorInfo("ETAG_MISMATCH")),
      },
      async (api) => {
        const e = await failure(api.accounts.updateAccount({ account: { accountId: acme.accountId, notes: "x", etag: "another" }, updateMask: { paths: ["notes"] }, requestId }));
        expect(e.code).toBe(Code.Aborted);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "ETAG_MISMATCH" });
      },
    ));

  it("go with their keys", () =>
    interaction(
      {
        provider, name: "the end of an account with a key",
        states: [accounts(acme), { name: "an API key exists", parameters: { request: { name: "portal", role: "ROLE_VIEWER", accountId: acme.accountId }, ended: false } }],
        procedure: `${service}/DeleteAccount`, request: { accountId: acme.accountId, etag: etagOf(acme.accountId), requestId }, response: { revokedKeys: 1 },
      },
      async (api) => {
        expect((await api.accounts.deleteAccount({ accountId: acme.accountId, etag: "an etag", requestId })).revokedKeys).toBe(1);
      },
    ));
});
