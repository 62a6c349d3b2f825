import { ConnectError } from "@connectrpc/connect";
import { FindingSeverity, RuleConflictSchema, type RuleFinding } from "@gen/operators/v1/routing_rule_pb";
import { errorDetails } from "../../api/errordetails";
import { describe, type Problem } from "../../api/errors";

/** Why a rule was refused. */
export interface Refusal {
  readonly problem: Problem;
  /** Errors first. Empty when the refusal was no conflict. */
  readonly findings: readonly RuleFinding[];
  /** The rule that is there already, of DUPLICATE_RULE. */
  readonly duplicate: string;
}

export function refusalOf(failure: unknown): Refusal {
  const error = ConnectError.from(failure);
  const problem = describe(error);
  const findings = error.findDetails(RuleConflictSchema).flatMap((conflict) => conflict.findings);
  return { problem, findings: bySeverity(findings), duplicate: problem.reason === "DUPLICATE_RULE" ? (errorDetails(error).metadata["rule_id"] ?? "") : "" };
}

/** Errors first; otherwise in the order of the server. */
export function bySeverity(findings: readonly RuleFinding[]): RuleFinding[] {
  return [...findings].sort((a, b) => rank(a) - rank(b));
}

function rank({ severity }: RuleFinding): number {
  return severity === FindingSeverity.ERROR ? 0 : 1;
}

export function errorsOf(findings: readonly RuleFinding[]): RuleFinding[] {
  return findings.filter(({ severity }) => severity === FindingSeverity.ERROR);
}
