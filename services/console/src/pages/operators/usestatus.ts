import { type Operator, OperatorStatus } from "@gen/operators/v1/operator_pb";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { useChange } from "../../parts/change";

/** What takes an operator out of use. */
export type Takedown = "suspend" | "deactivate" | "delete";

export const takedowns: readonly Takedown[] = ["suspend", "deactivate", "delete"];

/** What can be done with a live operator in this status. */
export function movesFrom(status: OperatorStatus): { readonly activate: boolean; readonly takedowns: readonly Takedown[] } {
  switch (status) {
    case OperatorStatus.ACTIVE:
      return { activate: false, takedowns: ["suspend", "deactivate", "delete"] };
    case OperatorStatus.SUSPENDED:
      return { activate: true, takedowns: ["deactivate", "delete"] };
    default:
      return { activate: true, takedowns: ["delete"] };
  }
}

type Back = "activate" | "suspend" | "deactivate";

/** The one change that leads back to a status; undefined where only a detour over ACTIVE would. */
export function wayBack(from: OperatorStatus, to: OperatorStatus): Back | undefined {
  if (from === OperatorStatus.ACTIVE) return "activate";
  if (to !== OperatorStatus.ACTIVE) return undefined;
  return from === OperatorStatus.SUSPENDED ? "suspend" : "deactivate";
}

/** Deleted operators leave rules with names that select nobody. */
const invalidates = [OperatorService, RoutingRuleService];

/** The changes of status of one operator, with undo where one change leads back. */
export function useStatusChanges(operator: Operator) {
  const { method } = OperatorService;
  const back = {
    activate: useChange(method.activateOperator, { invalidates }),
    suspend: useChange(method.suspendOperator, { invalidates }),
    deactivate: useChange(method.deactivateOperator, { invalidates }),
  };
  const undo = ({ operator: after }: { readonly operator?: Operator | undefined }) => {
    const way = after === undefined ? undefined : wayBack(operator.status, after.status);
    // Without a password the way back is refused.
    if (after === undefined || way === undefined || (way === "activate" && !after.hasCredentials)) return undefined;
    const target = { operatorId: after.operatorId, etag: after.etag };
    return (): Promise<unknown> => back[way].send(target);
  };
  return {
    activate: useChange(method.activateOperator, { invalidates, done: `${operator.name} is active.`, undo }),
    suspend: useChange(method.suspendOperator, { invalidates, done: `${operator.name} is suspended.`, undo }),
    deactivate: useChange(method.deactivateOperator, { invalidates, done: `${operator.name} is inactive.`, undo }),
    delete: useChange(method.deleteOperator, { invalidates, done: `${operator.name} is deleted.` }),
  };
}

export type StatusChanges = ReturnType<typeof useStatusChanges>;
