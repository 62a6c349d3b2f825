import { callUnaryMethod, useTransport } from "@connectrpc/connect-query";
import type { RoutingRule } from "@gen/operators/v1/routing_rule_pb";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { useRef } from "react";
import { useChange } from "../../parts/change";
import type { Question } from "../../parts/confirm";
import { newId } from "../../parts/requestid";
import { Aftermath } from "./aftermath";
import { settable } from "./settable";

const { createRoutingRule, deleteRoutingRule } = RoutingRuleService.method;

/** Asks whether to delete a rule, with what follows, and deletes it. Undo makes the same rule again, under another id. */
export function useDeletion(ask: (question: Question) => void, onDone: () => void): (rule: RoutingRule) => void {
  const transport = useTransport();
  const deleted = useRef<RoutingRule | undefined>(undefined);
  const deletion = useChange(deleteRoutingRule, {
    done: () => `The rule for ${deleted.current?.prefix ?? ""} is deleted.`,
    undo: () => {
      const rule = deleted.current;
      if (rule === undefined) return undefined;
      const request = { rule: settable(rule), requestId: newId() };
      return () => callUnaryMethod(transport, createRoutingRule, request);
    },
    onDone,
  });
  return (rule) => {
    ask({
      title: `Delete the rule for ${rule.prefix}?`,
      what: [rule.active ? "It stops to decide for every number of its prefix, within moments or with the next release." : "It is switched off and decides nothing now."],
      confirm: "Delete rule",
      danger: true,
      action: () => {
        deleted.current = rule;
        return deletion.send({ ruleId: rule.ruleId, etag: rule.etag });
      },
      children: <Aftermath rule={rule} />,
    });
  };
}
