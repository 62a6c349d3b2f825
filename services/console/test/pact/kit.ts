import { MatchersV3, PactV4 } from "@pact-foundation/pact";
import { type Api, createApi } from "../../src/api.js";

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
  readonly request: JSONValue;
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

export const uuid = (example: string) => regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, example);

/** A positive int64, which proto JSON writes as text. */
export const int64 = (example: string) => regex(/^[1-9][0-9]*$/, example);
