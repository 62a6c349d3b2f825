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

/** host:port, with brackets around an IPv6 address. */
export function addressOf({ host, port }: Pick<Operator, "host" | "port">): string {
  return `${host.includes(":") ? `[${host}]` : host}:${String(port)}`;
}

export const deleted = (operator: Operator): boolean => operator.deleteTime !== undefined;
