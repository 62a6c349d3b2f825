import { Outcome } from "@gen/routing/v1/routing_pb";
import type { DecisionRecord } from "@gen/routing/v1/decision_pb";
import type { Tone } from "../../parts/status";

const failures: Readonly<Record<string, string>> = {
  NO_ROUTE: "No rule matches",
  NO_USABLE_OPERATOR: "No usable operator",
  VALIDATION_FAILED: "Not a valid question",
  RULES_NOT_LOADED: "Rules not loaded yet",
  RULES_CHANGING: "Rules were changing",
  DATABASE_UNAVAILABLE: "Database out of reach",
  OPERATORS_BEHIND: "Operators behind the release",
  RELEASE_NONE: "No release published",
  OVERLOADED: "Engine overloaded",
  DEADLINE_EXCEEDED: "Ran out of time",
  other: "Other reasons",
};

/** A stable reason in words; one that this console does not know stays as it is. */
export function failureWord(reason: string): string {
  return failures[reason] ?? reason;
}

const outcomes: Readonly<Record<Outcome, readonly [word: string, tone: Tone]>> = {
  [Outcome.UNSPECIFIED]: ["Unknown", "idle"],
  [Outcome.ACCEPTED]: ["Accepted", "info"],
  [Outcome.REJECTED]: ["Rejected", "bad"],
  [Outcome.FAILED]: ["Failed", "bad"],
  [Outcome.DELIVERED]: ["Delivered", "good"],
  [Outcome.UNDELIVERED]: ["Undelivered", "warning"],
};

export function outcomeWord(outcome: Outcome): string {
  return outcomes[outcome]?.[0] ?? "Unknown";
}

export function outcomeTone(outcome: Outcome): Tone {
  return outcomes[outcome]?.[1] ?? "idle";
}

/** What the log keeps of a number, a dot for each other digit: "+447911••••••". */
export function keptNumber({ numberPrefix, numberDigits }: Pick<DecisionRecord, "numberPrefix" | "numberDigits">): string {
  return numberPrefix + "•".repeat(Math.max(0, numberDigits - Math.max(0, numberPrefix.length - 1)));
}
