import { callUnaryMethod, useTransport } from "@connectrpc/connect-query";
import type { RoutingRule } from "@gen/operators/v1/routing_rule_pb";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { useCallback, useRef } from "react";
import type { Problem } from "../../api/errors";
import { useChange } from "../../parts/change";
import { newId } from "../../parts/requestid";
import { changes, ruleOf, type RuleValues, valuesOf } from "./ruleform";
import { settable } from "./settable";

const { createRoutingRule, updateRoutingRule, deleteRoutingRule } = RoutingRuleService.method;

interface Saving {
  /** Rejects; problem says why. */
  readonly save: (values: RuleValues) => Promise<RoutingRule | undefined>;
  /** After a merge: as against theirs, the rule as somebody else left it. Rejects. */
  readonly merge: (theirs: RoutingRule, merged: RuleValues) => Promise<unknown>;
  readonly pending: boolean;
  readonly problem: Problem | undefined;
  readonly error: unknown;
}

/** Stores a new rule, or the changes of base. What was done can be undone for some seconds. */
export function useSave(base: RoutingRule | undefined): Saving {
  const transport = useTransport();
  // What the last update changed: base, or after a merge what somebody else had stored. It is what comes back.
  const changed = useRef(base);
  const creation = useChange(createRoutingRule, {
    done: ({ rule }) => `The rule for ${rule?.prefix ?? ""} is stored.`,
    undo: ({ rule }) => {
      const requestId = newId();
      return () => callUnaryMethod(transport, deleteRoutingRule, { ruleId: rule?.ruleId ?? "", etag: rule?.etag ?? "", requestId });
    },
  });
  const update = useChange(updateRoutingRule, {
    done: ({ rule }) => `The rule for ${rule?.prefix ?? ""} is saved.`,
    undo: ({ rule }, input) => {
      const before = changed.current;
      if (before === undefined || rule === undefined) return undefined;
      const former = { ...settable(before), ruleId: rule.ruleId, etag: rule.etag };
      const requestId = newId();
      return () => callUnaryMethod(transport, updateRoutingRule, { rule: former, updateMask: { paths: input.updateMask?.paths ?? [] }, requestId });
    },
  });

  const { send: create } = creation;
  const { send } = update;
  const save = useCallback(
    async (values: RuleValues) => {
      if (base === undefined) return (await create({ rule: ruleOf(values) })).rule;
      changed.current = base;
      return (await send(updateOf(base, values))).rule;
    },
    [base, create, send],
  );
  const merge = useCallback(
    (theirs: RoutingRule, values: RuleValues) => {
      const input = updateOf(theirs, values);
      changed.current = theirs;
      // Both may have made the same changes.
      return input.updateMask.paths.length === 0 ? Promise.resolve() : send(input);
    },
    [send],
  );
  const change = base === undefined ? creation : update;
  return { save, merge, pending: creation.pending || update.pending, problem: change.problem, error: change.error };
}

function updateOf(base: RoutingRule, values: RuleValues) {
  return { rule: { ...ruleOf(values), ruleId: base.ruleId, etag: base.etag }, updateMask: { paths: changes(valuesOf(base), values) } };
}
