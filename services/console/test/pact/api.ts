import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { OperatorService } from "@gen/operators/v1/operator_service_pb.js";
import { OutboxService } from "@gen/operators/v1/outbox_service_pb.js";
import { RateService } from "@gen/operators/v1/rate_service_pb.js";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb.js";
import { ReleaseService } from "@gen/releases/v1/release_service_pb.js";
import { RoutingService } from "@gen/routing/v1/routing_service_pb.js";

/** The services that the console calls. */
export interface Api {
  readonly routing: Client<typeof RoutingService>;
  readonly operators: Client<typeof OperatorService>;
  readonly rules: Client<typeof RoutingRuleService>;
  readonly rates: Client<typeof RateService>;
  readonly outbox: Client<typeof OutboxService>;
  readonly releases: Client<typeof ReleaseService>;
}

/** A call that takes longer than this many milliseconds ends with DEADLINE_EXCEEDED. */
export const callTimeout = 10_000;

/**
 * Gives clients of the server at baseUrl, such as "https://console.example". They speak the Connect
 * protocol with JSON, so that calls can be read in the browser's tools.
 */
export function createApi(baseUrl: string, fetch: typeof globalThis.fetch = globalThis.fetch): Api {
  const transport = createConnectTransport({ baseUrl, fetch, useBinaryFormat: false, defaultTimeoutMs: callTimeout });
  return {
    routing: createClient(RoutingService, transport),
    operators: createClient(OperatorService, transport),
    rules: createClient(RoutingRuleService, transport),
    rates: createClient(RateService, transport),
    outbox: createClient(OutboxService, transport),
    releases: createClient(ReleaseService, transport),
  };
}
