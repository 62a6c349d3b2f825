import { type DescMethod, type DescService, getOption } from "@bufbuild/protobuf";
import { AccountService } from "@gen/access/v1/account_service_pb";
import { ApiKeyService } from "@gen/access/v1/api_key_service_pb";
import { AuditService } from "@gen/access/v1/audit_service_pb";
import { CallerService } from "@gen/access/v1/caller_service_pb";
import { EventService } from "@gen/operators/v1/event_service_pb";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { OutboxService } from "@gen/operators/v1/outbox_service_pb";
import { RateService } from "@gen/operators/v1/rate_service_pb";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { SystemService } from "@gen/operators/v1/system_service_pb";
import { access, Audience, Role } from "@gen/options/v1/access_pb";
import { ReleaseService } from "@gen/releases/v1/release_service_pb";
import { DecisionService } from "@gen/routing/v1/decision_service_pb";
import { RoutingService } from "@gen/routing/v1/routing_service_pb";

/** One call of the API and who may make it. */
export interface Call {
  readonly name: string;
  readonly words: string;
  readonly role: Role;
  /** Whether callers that are bound to an account may make it, for that account. */
  readonly bound: boolean;
}

export interface Area {
  readonly name: string;
  readonly calls: readonly Call[];
}

const services: readonly (readonly [name: string, ...services: DescService[]])[] = [
  ["Routes", RoutingService],
  ["Decisions", DecisionService],
  ["Operators", OperatorService],
  ["Rules", RoutingRuleService],
  ["Rates", RateService],
  ["Releases", ReleaseService],
  ["Accounts", AccountService],
  ["API keys", ApiKeyService],
  ["Audit log", AuditService],
  ["System", SystemService, EventService, OutboxService, CallerService],
];

/** What each role may call, as the servers themselves read it from the schema. */
export function matrix(): readonly Area[] {
  return services.map(([name, ...all]) => ({
    name,
    calls: all.flatMap((service) => service.methods.map(callOf)).filter((call) => call !== undefined),
  }));
}

/** undefined for what only other processes may call, or nobody. */
function callOf(method: DescMethod): Call | undefined {
  const { role, audience, accountScoped } = getOption(method, access);
  if (audience !== Audience.PUBLIC || role === Role.UNSPECIFIED) return undefined;
  return { name: method.name, words: wordsOf(method.name), role, bound: accountScoped };
}

/** "BatchSelectOperators" is "Batch select operators", "GetSMSRoute" is "Get SMS route". */
export function wordsOf(name: string): string {
  const words = name.match(/[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+/g) ?? [name];
  return words.map((word, at) => (at === 0 || (word.length > 1 && word === word.toUpperCase()) ? word : word.toLowerCase())).join(" ");
}
