import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { AccountService } from "@gen/access/v1/account_service_pb.js";
import { ApiKeyService } from "@gen/access/v1/api_key_service_pb.js";
import { AuditService } from "@gen/access/v1/audit_service_pb.js";
import { CallerService } from "@gen/access/v1/caller_service_pb.js";
import { OperatorService } from "@gen/operators/v1/operator_service_pb.js";
import { RateService } from "@gen/operators/v1/rate_service_pb.js";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb.js";
import { Role } from "@gen/options/v1/access_pb.js";
import { ReleaseService } from "@gen/releases/v1/release_service_pb.js";
import { DecisionService } from "@gen/routing/v1/decision_service_pb.js";
import { RoutingService } from "@gen/routing/v1/routing_service_pb.js";

/** Calls past the console, to prepare what it shows and to see what it did. */
export interface Api {
  readonly accounts: Client<typeof AccountService>;
  readonly keys: Client<typeof ApiKeyService>;
  readonly audit: Client<typeof AuditService>;
  readonly caller: Client<typeof CallerService>;
  readonly operators: Client<typeof OperatorService>;
  readonly rules: Client<typeof RoutingRuleService>;
  readonly rates: Client<typeof RateService>;
  readonly releases: Client<typeof ReleaseService>;
  readonly routing: Client<typeof RoutingService>;
  readonly decisions: Client<typeof DecisionService>;
  /** Makes a key of the role, bound to an account or to none, and gives its text. */
  makeKey(role: "viewer" | "operator" | "admin", accountId?: string): Promise<string>;
}

const roles = { viewer: Role.VIEWER, operator: Role.OPERATOR, admin: Role.ADMIN };

export function createApi(baseUrl: string, key: string): Api {
  const authorize: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${key}`);
    return next(request);
  };
  const transport = createConnectTransport({ baseUrl, interceptors: [authorize], defaultTimeoutMs: 30_000 });
  const keys = createClient(ApiKeyService, transport);
  return {
    accounts: createClient(AccountService, transport),
    keys,
    audit: createClient(AuditService, transport),
    caller: createClient(CallerService, transport),
    operators: createClient(OperatorService, transport),
    rules: createClient(RoutingRuleService, transport),
    rates: createClient(RateService, transport),
    releases: createClient(ReleaseService, transport),
    routing: createClient(RoutingService, transport),
    decisions: createClient(DecisionService, transport),
    makeKey: async (role, accountId = "") => (await keys.createApiKey({ name: `browser test, ${role}`, role: roles[role], accountId })).text,
  };
}
