import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { arrayContaining, errorInfo, failure, interaction, like, refused, regex, said, timestamp } from "./kit.js";
import { provider } from "./management.js";

const service = "trunkline.operators.v1.SystemService";

/** The caller has this role, and not that of an admin. */
const calledAs = (role: string) => ({ name: "the caller has a role", parameters: { role } });

describe("the process that answers", () => {
  it("tells what it is, to viewers too", () =>
    interaction(
      {
        provider,
        name: "what the process is",
        states: [calledAs("ROLE_VIEWER")],
        procedure: `${service}/GetSystem`,
        request: {},
        response: { process: "operator-management", version: like("1.2.3"), startTime: timestamp("2026-11-21T12:00:00Z") },
      },
      async (api) => {
        const got = await api.system.getSystem({});
        expect(got).toMatchObject({ process: "operator-management", version: "1.2.3", startTime: { seconds: 1795262400n } });
      },
    ));

  it("tells its settings and where they come from, and no secret", () =>
    interaction(
      {
        provider,
        name: "the settings of the process",
        states: [],
        procedure: `${service}/ListSettings`,
        request: {},
        response: {
          settings: arrayContaining(
            { key: "database.url", value: "[redacted]", origin: regex(/^(flag|env|file) .+$/, "env TRUNKLINE_DATABASE_URL") },
            { key: "operators.releases.keep", value: regex(/^[1-9][0-9]*$/, "50"), origin: "default" },
          ),
        },
      },
      async (api) => {
        const { settings } = await api.system.listSettings({});
        expect(settings).toMatchObject([
          { key: "database.url", value: "[redacted]", origin: "env TRUNKLINE_DATABASE_URL" },
          { key: "operators.releases.keep", value: "50", origin: "default" },
        ]);
      },
    ));

  it("tells its settings to admins alone", () =>
    interaction(
      {
        provider,
        name: "the settings of the process for an operator",
        states: [calledAs("ROLE_OPERATOR")],
        procedure: `${service}/ListSettings`,
        request: {},
        status: 403,
        response: refused("permission_denied", errorInfo("ROLE_TOO_LOW", { needed_role: "admin", role: "operator" })),
      },
      async (api) => {
        const e = await failure(api.system.listSettings({}));
        expect(e.code).toBe(Code.PermissionDenied);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason: "ROLE_TOO_LOW" });
      },
    ));
});
