import { Code, ConnectError } from "@connectrpc/connect";
import { useQuery, type UseQueryResult } from "@tanstack/react-query";

/** A row of /health/detailed: something that the process needs. */
export interface Dependency {
  readonly name: string;
  /** While a required one is down the process takes no calls. */
  readonly required: boolean;
  /** "unknown" until it was probed. */
  readonly state: "up" | "down" | "unknown";
  /** Of the last probe, in milliseconds. */
  readonly latency: number;
  /** The last change of state. */
  readonly since?: Date;
  readonly checked?: Date;
  /** Also told after it came back. */
  readonly lastError: string;
}

export interface ProcessHealth {
  readonly ready: boolean;
  readonly dependencies: readonly Dependency[];
}

/** How often it is asked, in milliseconds; the server probes every 3 s. */
const every = 5_000;

export function useDependencies(): UseQueryResult<ProcessHealth, Error> {
  return useQuery({
    queryKey: ["health/detailed"],
    queryFn: ({ signal }) => readHealth(signal),
    refetchInterval: every,
    retry: false,
  });
}

async function readHealth(signal: AbortSignal): Promise<ProcessHealth> {
  const response = await fetch("/health/detailed", { signal, headers: { accept: "application/json" }, cache: "no-store" });
  if (!response.ok) {
    throw new ConnectError(`The health page of the server answered ${String(response.status)}.`, Code.Unavailable);
  }
  return healthOf(await response.json());
}

/** Reads the page. Another server of another version may leave things out: what cannot be read is unknown, never up. */
export function healthOf(body: unknown): ProcessHealth {
  const page = record(body);
  const rows = Array.isArray(page["dependencies"]) ? page["dependencies"] : [];
  return { ready: page["ready"] === true, dependencies: rows.map((row) => dependencyOf(record(row))).filter(({ name }) => name !== "") };
}

function dependencyOf(row: Readonly<Record<string, unknown>>): Dependency {
  const state = row["state"];
  const since = time(row["since"]);
  const checked = time(row["checked_at"]);
  const latency = row["latency_ms"];
  return {
    name: text(row["name"]),
    required: row["required"] === true,
    state: state === "up" || state === "down" ? state : "unknown",
    latency: typeof latency === "number" ? latency : 0,
    lastError: text(row["last_error"]),
    ...(since === undefined ? {} : { since }),
    ...(checked === undefined ? {} : { checked }),
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function time(value: unknown): Date | undefined {
  const at = new Date(text(value));
  return Number.isNaN(at.getTime()) ? undefined : at;
}

const order = { down: 0, unknown: 1, up: 2 } as const;

/** What is down first, required before optional, then by name. */
export function byTrouble(a: Dependency, b: Dependency): number {
  return order[a.state] - order[b.state] || Number(b.required) - Number(a.required) || a.name.localeCompare(b.name);
}

const purposes: Readonly<Record<string, { readonly what: string; readonly down: string }>> = {
  database: {
    what: "Operators, rules, rates, accounts, the audit log",
    down: "Changes are refused until it is back. Engines go on with the rules that they have.",
  },
  nats: {
    what: "Events between processes, releases, the decision log",
    down: "Changes wait in the outbox, and what is known of health grows old. Live updates stop.",
  },
  redis: { what: "The shared cache of health, routes and limits", down: "Decisions go on without it: limits of TPS are not kept." },
  secrets: { what: "Passwords of operators", down: "Operators cannot be made, and credentials cannot be read or rotated." },
  rules: { what: "The set of rules that routes are decided by", down: "No route can be decided here until the rules are loaded." },
  release: { what: "The release that this engine serves", down: "The engine serves what it served before, or nothing." },
  "api-keys": { what: "Word of revoked and new API keys", down: "Keys that are known go on working; revoked ones may, too." },
  "api-keys-loaded": { what: "The API keys themselves", down: "Nobody can call with an API key." },
  accounts: { what: "Word of changed accounts", down: "Accounts that are known go on working." },
  "accounts-loaded": { what: "The accounts themselves", down: "Calls for accounts are refused." },
  jwks: { what: "The public keys of the token issuer", down: "Tokens of known keys go on working; new keys are not learnt." },
  "operator-management": { what: "Rules and health where the database is out of reach", down: "The engine reads the database alone." },
  "rules-from-database": { what: "Whether rules come from the database", down: "Rules come from operator-management: look at the database." },
};

/** What it is for. */
export function purposeOf(name: string): string {
  return purposes[name]?.what ?? "";
}

/** What it means that it is down. */
export function consequenceOf(name: string): string {
  return purposes[name]?.down ?? "What needs it fails until it is back.";
}
