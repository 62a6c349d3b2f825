import { BinaryWriter, WireType, base64Encode } from "@bufbuild/protobuf/wire";
import { ConnectError } from "@connectrpc/connect";
import { MatchersV3, PactV4 } from "@pact-foundation/pact";
import { type Api, createApi } from "./api.js";

export const { arrayContaining, integer, like, regex } = MatchersV3;

/** A provider state with the parameters that the provider arranges it by. */
export interface State {
  readonly name: string;
  readonly parameters?: Record<string, JSONValue>;
}

export type JSONValue = string | number | boolean | null | JSONValue[] | { [key: string]: JSONValue };

/** One call that the console makes, and the answer that it can live with. */
export interface Interaction {
  readonly provider: string;
  /** Unique in the pact. */
  readonly name: string;
  readonly states: readonly State[];
  /** Such as "trunkline.routing.v1.RoutingService/SelectOperator". */
  readonly procedure: string;
  /** Plain values are exact; an etag comes from the state. */
  readonly request: Record<string, unknown>;
  readonly status?: number;
  /** Plain values are exact, matchers say what else will do. */
  readonly response: Record<string, unknown>;
}

/**
 * Puts the interaction into the pact once use has made the call with the console's own clients and checked
 * what they decoded. The check matters: a field that the client does not know would pass unseen.
 */
export async function interaction(i: Interaction, use: (api: Api) => Promise<void>): Promise<void> {
  const dir = process.env["PACT_DIR"];
  if (!dir) {
    throw new Error("PACT_DIR is not set: run ./task pact, or name a folder for the pacts");
  }
  const pact = new PactV4({ consumer: "admin-console", provider: i.provider, dir, logLevel: "warn" });
  let builder = pact.addInteraction();
  for (const state of i.states) {
    builder = builder.given(state.name, state.parameters ?? {});
  }
  await builder
    .uponReceiving(i.name)
    .withRequest("POST", `/${i.procedure}`, (r) => {
      r.headers({ "Content-Type": "application/json", "Connect-Protocol-Version": "1" });
      r.jsonBody(i.request);
    })
    .willRespondWith(i.status ?? 200, (r) => {
      r.headers({ "Content-Type": "application/json" });
      r.jsonBody(i.response);
    })
    .executeTest((server) => use(createApi(server.url)));
}

/** The call must fail; gives its error. */
export async function failure(call: Promise<unknown>): Promise<ConnectError> {
  try {
    await call;
  } catch (e) {
    if (e instanceof ConnectError) {
      return e;
    }
    throw e;
  }
  throw new Error("the call did not fail");
}

export const uuid = (example: string) => regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, example);

/** A positive int64, which proto JSON writes as text. */
export const int64 = (example: string) => regex(/^[1-9][0-9]*$/, example);

export const timestamp = (example: string) => regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/, example);

/** What people read when a call fails. */
export const sentence = "a sentence for people";

/** The body of an error with these details among others. */
export const refused = (code: string, ...details: object[]) => ({
  code,
  message: like(sentence),
  details: arrayContaining(...details),
});

/**
 * A detail of an error. value is the message as bytes; debug is the same in a form that a pact can match, written by the
 * same server. The console has no schema for google.rpc: of those messages it reads debug.
 */
export const detail = (type: string, debug: Record<string, unknown>, value: Uint8Array) => ({
  type,
  value: regex(/^[A-Za-z0-9+/]+$/, base64Encode(value, "std_raw")),
  debug,
});

/** The detail that says why; metadata names what is in the way. */
export const errorInfo = (reason: string, metadata?: Record<string, unknown>) => {
  const value = new BinaryWriter().tag(1, WireType.LengthDelimited).string(reason).tag(2, WireType.LengthDelimited).string("trunkline");
  return detail("google.rpc.ErrorInfo", { reason, domain: "trunkline", ...(metadata && { metadata }) }, value.finish());
};

/** The detail that names fields, each by a matcher and with an example. */
export const badRequest = (...fields: { field: unknown; example: string }[]) => {
  const value = new BinaryWriter();
  for (const { example } of fields) {
    value.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string(example).join();
  }
  const fieldViolations = fields.map(({ field }) => ({ field, description: like("what is accepted") }));
  return detail("google.rpc.BadRequest", { fieldViolations }, value.finish());
};

/** What a detail says, by its type. */
export const said = (e: ConnectError, type: string): unknown =>
  e.details.map((d) => d as { type?: unknown; debug?: unknown }).find((d) => d.type === type)?.debug;
