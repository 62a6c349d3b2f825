import { Rejection, RuleOutcome } from "@gen/routing/v1/routing_pb";
import type { MessageType } from "@gen/routing/v1/types_pb";
import type { Tone } from "../../parts/status";
import { messageTypeWord } from "../../parts/words";

interface OutcomeWords {
  readonly tone: Tone;
  readonly word: string;
  readonly sentence: string;
}

/** What became of a rule. */
export function outcomeWords(outcome: RuleOutcome, type: MessageType): OutcomeWords {
  switch (outcome) {
    case RuleOutcome.SELECTED:
      return { tone: "good", word: "Selected", sentence: "It gave the answer." };
    case RuleOutcome.FELL_THROUGH:
      return { tone: "warning", word: "Fell through", sentence: "No candidate is usable, so the next shorter prefix was tried." };
    case RuleOutcome.EXHAUSTED:
      return { tone: "bad", word: "Exhausted", sentence: "No candidate is usable and the rule says fail: the search ended here." };
    case RuleOutcome.INACTIVE:
      return { tone: "idle", word: "Switched off", sentence: "The rule is switched off." };
    case RuleOutcome.NOT_IN_FORCE:
      return { tone: "idle", word: "Not in force", sentence: "The rule is not valid at this time." };
    case RuleOutcome.MESSAGE_TYPE_MISMATCH:
      return { tone: "idle", word: "Other types", sentence: `The rule is for other messages than ${messageTypeWord(type)}.` };
    case RuleOutcome.NOT_REACHED:
      return { tone: "idle", word: "Not reached", sentence: "A better rule had answered, or had ended the search." };
    case RuleOutcome.SKIPPED:
      return { tone: "idle", word: "Skipped", sentence: "A better rule of the same prefix fell through, which leads to shorter prefixes only." };
    default:
      return { tone: "idle", word: "Unknown", sentence: "The engine did not say what became of it." };
  }
}

/** Whether the rule's candidates were looked at. */
export function evaluated(outcome: RuleOutcome): boolean {
  return outcome === RuleOutcome.SELECTED || outcome === RuleOutcome.FELL_THROUGH || outcome === RuleOutcome.EXHAUSTED;
}

/** Why a candidate was not used, as a sentence; "" when it was not rejected. */
export function rejectionSentence(rejection: Rejection, type: MessageType): string {
  switch (rejection) {
    case Rejection.UNSPECIFIED:
      return "";
    case Rejection.OPERATOR_UNKNOWN:
      return "The operator does not exist any more.";
    case Rejection.OPERATOR_NOT_ACTIVE:
      return "The operator is not active.";
    case Rejection.EXCLUDED:
      return "Excluded by this question.";
    case Rejection.MESSAGE_TYPE_NOT_SUPPORTED:
      return `The operator does not carry ${messageTypeWord(type)}.`;
    case Rejection.UNBOUND:
      return "No SMPP session is up.";
    case Rejection.UNHEALTHY:
      return "Its quality is unhealthy.";
    case Rejection.NO_RATE:
      return "Cost needs a price, and neither a rate in force nor the rule gives one.";
    case Rejection.NO_FX_RATE:
      return "Its price cannot be compared: the FX rate is missing.";
    case Rejection.RECEIVES_ONLY:
      return "Its session only receives.";
    default:
      return "Rejected for a reason that this console does not know.";
  }
}
