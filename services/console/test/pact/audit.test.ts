import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { acme, actor, calledBy, provider } from "./access.js";
import { errorInfo, failure, interaction, like, refused, regex, said, timestamp, uuid } from "./kit.js";

const procedure = "trunkline.access.v1.AuditService/ListAuditRows";

/** The account is made by a call, so that there is a row about it. */
const created = { name: "an account was created and changed", parameters: { account: acme, notes: "Contract 43" } };

describe("the audit log", () => {
  it("tells what was changed, with before and after as JSON", () =>
    interaction(
      {
        provider,
        name: "audit rows of a change",
        states: [created],
        procedure,
        request: { filter: { action: "account.update", entity: "account", entityId: acme.accountId } },
        response: {
          rows: [
            {
              auditId: uuid("01a2011b-e138-77ca-9b84-b600b9e5881d"),
              occurTime: timestamp("2026-11-22T02:35:34.071824Z"),
              actor,
              action: "account.update",
              entity: "account",
              entityId: acme.accountId,
              before: regex(/^\{.*"notes":"Contract 42".*\}$/, '{"notes":"Contract 42"}'),
              after: regex(/^\{.*"notes":"Contract 43".*\}$/, '{"notes":"Contract 43"}'),
            },
          ],
        },
      },
      async (api) => {
        const { rows } = await api.audit.listAuditRows({ filter: { action: "account.update", entity: "account", entityId: acme.accountId } });
        expect(rows).toHaveLength(1);
        expect(JSON.parse(rows[0]?.before ?? "")).toMatchObject({ notes: "Contract 42" });
        expect(JSON.parse(rows[0]?.after ?? "")).toMatchObject({ notes: "Contract 43" });
      },
    ));

  it("tells all actions of a kind, newest first, in pages", () =>
    interaction(
      {
        provider,
        name: "a page of audit rows",
        states: [created],
        procedure,
        request: { pageSize: 1, filter: { action: "account." } },
        response: { rows: [{ action: "account.update", entityId: acme.accountId }], nextPageToken: like("where to go on") },
      },
      async (api) => {
        const { rows, nextPageToken } = await api.audit.listAuditRows({ pageSize: 1, filter: { action: "account." } });
        expect(rows.map(({ action }) => action)).toEqual(["account.update"]);
        expect(nextPageToken).not.toBe("");
      },
    ));

  it("is for admins", () =>
    interaction(
      { provider, name: "audit rows for an operator", states: [calledBy("ROLE_OPERATOR")], procedure, request: {}, status: 403, response: refused("permission_denied", errorInfo("ROLE_TOO_LOW")) },
      async (api) => {
        const e = await failure(api.audit.listAuditRows({}));
        expect(e.code).toBe(Code.PermissionDenied);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "ROLE_TOO_LOW" });
      },
    ));
});
