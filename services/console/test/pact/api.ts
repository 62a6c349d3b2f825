import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { AccountService } from "@gen/access/v1/account_service_pb.js";
import { ApiKeyService } from "@gen/access/v1/api_key_service_pb.js";
import { AuditService } from "@gen/access/v1/audit_service_pb.js";
import { CallerService } from "@gen/access/v1/caller_service_pb.js";
import { OperatorService } from "@gen/operators/v1/operator_service_pb.js";
import { OutboxService } from "@gen/operators/v1/outbox_service_pb.js";
import { RateService } from "@gen/operators/v1/rate_service_pb.js";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb.js";
import { SystemService } from "@gen/operators/v1/system_service_pb.js";
import { ReleaseService } from "@gen/releases/v1/release_service_pb.js";
import { DecisionService } from "@gen/routing/v1/decision_service_pb.js";
import { RoutingService } from "@gen/routing/v1/routing_service_pb.js";

/** Clients of the services that the console calls. */
export interface Api {
  readonly routing: Client<typeof RoutingService>;
  readonly operators: Client<typeof OperatorService>;
  readonly rules: Client<typeof RoutingRuleService>;
  readonly rates: Client<typeof RateService>;
  readonly outbox: Client<typeof OutboxService>;
  readonly releases: Client<typeof ReleaseService>;
  readonly decisions: Client<typeof DecisionService>;
  readonly system: Client<typeof SystemService>;
  readonly accounts: Client<typeof AccountService>;
  readonly keys: Client<typeof ApiKeyService>;
  readonly audit: Client<typeof AuditService>;
  readonly caller: Client<typeof CallerService>;
}

/** A call that takes longer than this many milliseconds ends with DEADLINE_EXCEEDED. */
const callTimeout = 10_000;

/**
 * Gives clients of the server at baseUrl. They speak the Connect protocol with JSON, the form that pacts are written in; the
 * console itself speaks gRPC-Web by the same generated services.
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
    decisions: createClient(DecisionService, transport),
    system: createClient(SystemService, transport),
    accounts: createClient(AccountService, transport),
    keys: createClient(ApiKeyService, transport),
    audit: createClient(AuditService, transport),
    caller: createClient(CallerService, transport),
  };
}
