import { clone } from "@bufbuild/protobuf";
import { callUnaryMethod, useTransport } from "@connectrpc/connect-query";
import { type RoutingRule, RoutingRuleSchema } from "@gen/operators/v1/routing_rule_pb";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { useCallback } from "react";
import type { Problem } from "../../api/errors";
import { useChange } from "../../parts/change";
import { changes, ruleOf, type RuleValues, valuesOf } from "./ruleform";

const { createRoutingRule, updateRoutingRule, deleteRoutingRule } = RoutingRuleService.method;

interface Saving {
  /** Resolves to the stored rule, or to undefined when problem says why there is none. */
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
  const creation = useChange(createRoutingRule, {
    done: ({ rule }) => `The rule for ${rule?.prefix ?? ""} is stored.`,
    undo:
      ({ rule }) =>
      () =>
        callUnaryMethod(transport, deleteRoutingRule, { ruleId: rule?.ruleId ?? "", etag: rule?.etag ?? "" }),
  });
  const update = useChange(updateRoutingRule, {
    done: ({ rule }) => `The rule for ${rule?.prefix ?? ""} is saved.`,
    undo: ({ rule }, input) => {
      if (base === undefined || rule === undefined) return undefined;
      const former = clone(RoutingRuleSchema, base);
      former.etag = rule.etag;
      return () => callUnaryMethod(transport, updateRoutingRule, { rule: former, updateMask: { paths: input.updateMask?.paths ?? [] } });
    },
  });

  const { run: create } = creation;
  const { run, send } = update;
  const save = useCallback(
    async (values: RuleValues) => {
      if (base === undefined) return (await create({ rule: ruleOf(values) }))?.rule;
      return (await run(updateOf(base, values)))?.rule;
    },
    [base, create, run],
  );
  const merge = useCallback(
    (theirs: RoutingRule, merged: RuleValues) => {
      const input = updateOf(theirs, merged);
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
