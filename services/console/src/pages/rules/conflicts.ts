import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { ConnectError } from "@connectrpc/connect";
import { FindingSeverity, RuleConflictSchema, type RuleFinding } from "@gen/operators/v1/routing_rule_pb";
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
  return { problem, findings: bySeverity(findings), duplicate: problem.reason === "DUPLICATE_RULE" ? ruleIdOf(error) : "" };
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

/** metadata["rule_id"] of the error's google.rpc.ErrorInfo, of which there is no generated code; "" when it has none. */
function ruleIdOf(error: ConnectError): string {
  for (const detail of error.details) {
    if (!("type" in detail) || detail.type !== "google.rpc.ErrorInfo" || !(detail.value instanceof Uint8Array)) continue;
    const entry = parts(detail.value, 3).find((one) => text(one, 1) === "rule_id");
    if (entry !== undefined) return text(entry, 2);
  }
  return "";
}

function parts(message: Uint8Array, field: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  try {
    const reader = new BinaryReader(message);
    while (reader.pos < reader.len) {
      const [no, type] = reader.tag();
      if (no === field && type === WireType.LengthDelimited) found.push(reader.bytes());
      else reader.skip(type, no);
    }
  } catch {
    return [];
  }
  return found;
}

function text(message: Uint8Array, field: number): string {
  const last = parts(message, field).at(-1);
  return last === undefined ? "" : new TextDecoder().decode(last);
}
