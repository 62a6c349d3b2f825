import { MatchersV3 } from "@pact-foundation/pact";
import { type JSONValue, type State, like, regex, timestamp, uuid } from "./kit.js";

// Access is part of operator-management, and a provider of its own: whoever keeps these promises knows callers.

export const provider = "access";
export const requestId = "7f0e8a52-1c1a-4e0d-9d2e-4c1b2a3d0d60";
export const nobody = "0190a8f0-0000-7000-8000-0000000000ff";

type Row = { [key: string]: JSONValue };

export const acme = { accountId: "6f1c1a52-7f0e-4d0e-9d2e-0d5f4c1b2a3d", name: "Acme", notes: "Contract 42" };
export const beta = { accountId: "6f1c1a52-7f0e-4d0e-9d2e-0d5f4c1b2a3e", name: "Beta" };

/** These accounts exist. */
export const accounts = (...all: Row[]): State => ({ name: "accounts exist", parameters: { accounts: all } });

/** A key exists that was made like this; the state tells its id as "key of <name>". */
export const key = (request: Row, ended = false): State => ({ name: "an API key exists", parameters: { request, ended } });

/** Calls come from such a key, and not from an admin of no account. */
export const calledBy = (role: string, accountId = ""): State => ({ name: "the caller has a key", parameters: { role, accountId } });

export const etagOf = (id: string) => MatchersV3.fromProviderState(`\${etag of ${id}}`, "an etag");
export const keyOf = (name: string) => MatchersV3.fromProviderState(`\${key of ${name}}`, nobody);

/** An account as it is answered. */
export const shown = (account: object) => ({
  ...account,
  etag: like("an etag"),
  createTime: timestamp("2026-11-21T12:00:00Z"),
  updateTime: timestamp("2026-11-21T12:30:00.250Z"),
});

/** What audit rows call the holder of a key. */
export const actor = regex(/^key:[0-9a-f-]{36}$/, `key:${nobody}`);

/** A key as it is answered. */
export const shownKey = (name: string, role: string, more: object = {}) => ({
  keyId: uuid(nobody),
  name,
  role,
  hint: regex(/^tl_[0-9A-Za-z]{8}$/, "tl_0SxZi1c5"),
  createdBy: actor,
  createTime: timestamp("2026-11-21T12:00:00Z"),
  ...more,
});

/** The text of a key: 74 characters. */
export const text = regex(/^tl_[0-9A-Za-z]{71}$/, `tl_${"0123456789".repeat(7)}a`);
