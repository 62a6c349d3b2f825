import { Quality } from "@gen/events/v1/operator_health_event_pb";
import type { OperatorHealth } from "@gen/operators/v1/health_pb";
import type { ListOperatorsResponse, Operator } from "@gen/operators/v1/operator_pb";

/** An operator and what is known of its health. */
export interface OperatorRow {
  readonly operator: Operator;
  readonly health: OperatorHealth | undefined;
}

/** The server gives the health in the order of the operators; the ids decide all the same. */
export function rowsOf(page: ListOperatorsResponse): readonly OperatorRow[] {
  const health = new Map(page.health.map((one) => [one.operatorId, one]));
  return page.operators.map((operator) => ({ operator, health: health.get(operator.operatorId) }));
}

/** Whether an operator is of one of these qualities; none is all. What nobody has told of is of an unknown one. */
export function ofQuality(qualities: readonly Quality[]): (row: OperatorRow) => boolean {
  return ({ health }) => qualities.length === 0 || qualities.includes(health?.quality ?? Quality.UNSPECIFIED);
}

/** host:port, with brackets around an IPv6 address. */
export function addressOf(operator: Pick<Operator, "host" | "port">): string {
  return addressParts(operator).join("");
}

/** The same in two: a host may be cut where there is no room, its port must not be. */
export function addressParts({ host, port }: Pick<Operator, "host" | "port">): readonly [host: string, port: string] {
  return [host.includes(":") ? `[${host}]` : host, `:${String(port)}`];
}

export const deleted = (operator: Operator): boolean => operator.deleteTime !== undefined;
