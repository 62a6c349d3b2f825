import { callUnaryMethod, useTransport } from "@connectrpc/connect-query";
import type { RuleFinding } from "@gen/operators/v1/routing_rule_pb";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import type { Transport } from "@connectrpc/connect";
import { useEffect, useState } from "react";
import type { Problem } from "../../api/errors";
import { bySeverity, type Refusal, refusalOf } from "./conflicts";
import { changes, complaints, ruleOf, type RuleValues } from "./ruleform";

/** What the conflict checker says of what is being edited. */
export interface LiveFindings {
  /** "waiting": there is nothing to check yet, or nothing new; "checking": the findings are those of a moment ago. */
  readonly state: "waiting" | "checking" | "done" | "failed";
  readonly findings: readonly RuleFinding[];
  /** Why there was no check. */
  readonly problem?: Problem;
  /** Id of the rule that is there already. */
  readonly duplicate: string;
}

/** A stored rule, or undefined for a new one. */
interface Base {
  readonly ruleId: string;
  readonly values: RuleValues;
}

const pause = 400;
const nothing: LiveFindings = { state: "waiting", findings: [], duplicate: "" };

/** Asks the server what it would say, some moments after the last change. Only the answer to the newest question counts. */
export function useLiveFindings(base: Base | undefined, values: RuleValues, enabled: boolean): LiveFindings {
  const transport = useTransport();
  const [live, setLive] = useState(nothing);
  const mask = base === undefined ? undefined : changes(base.values, values);
  const ready = enabled && Object.keys(complaints(values)).length === 0 && (mask === undefined || mask.length > 0);
  const question = ready ? JSON.stringify([base?.ruleId, mask, values]) : "";
  useEffect(() => {
    if (question === "") {
      setLive(nothing);
      return;
    }
    setLive((former) => ({ ...former, state: "checking" }));
    const control = new AbortController();
    const timer = setTimeout(() => {
      void ask(transport, base?.ruleId, mask ?? [], values, control.signal).then((answer) => {
        if (!control.signal.aborted) setLive(answer);
      });
    }, pause);
    return () => {
      clearTimeout(timer);
      control.abort();
    };
    // The question holds all that it is made of.
  }, [transport, question]);
  return live;
}

/**
 * What is shown after a refusal: that there is such a rule already, also in the moment before the check says so too. It is said here and nowhere
 * else, with the way out.
 */
export function afterRefusal(live: LiveFindings, refused: Refusal | undefined): LiveFindings {
  if (refused === undefined || refused.duplicate === "" || live.state !== "checking" || live.duplicate !== "") return live;
  return { state: "done", findings: [], duplicate: refused.duplicate, problem: refused.problem };
}

async function ask(
  transport: Transport,
  ruleId: string | undefined,
  paths: string[],
  values: RuleValues,
  signal: AbortSignal,
): Promise<LiveFindings> {
  const rule = ruleOf(values);
  try {
    const { warnings } =
      ruleId === undefined
        ? await callUnaryMethod(transport, RoutingRuleService.method.createRoutingRule, { rule, validateOnly: true }, { signal })
        : await callUnaryMethod(
            transport,
            RoutingRuleService.method.updateRoutingRule,
            { rule: { ...rule, ruleId }, updateMask: { paths }, validateOnly: true },
            { signal },
          );
    return { state: "done", findings: bySeverity(warnings), duplicate: "" };
  } catch (error) {
    const { problem, findings, duplicate } = refusalOf(error);
    if (findings.length > 0 || duplicate !== "") return { state: "done", findings, duplicate, problem };
    return { state: "failed", findings: [], duplicate: "", problem };
  }
}
