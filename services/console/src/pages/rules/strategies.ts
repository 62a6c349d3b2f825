import { MessageType, OnExhausted, RoutingStrategy } from "@gen/routing/v1/types_pb";
import { exhaustedWord, messageTypeWord, strategyWord } from "../../parts/words";

/** A choice of the editor, with the one sentence that says what it does. */
export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly sentence: string;
}

const sentences: readonly (readonly [RoutingStrategy, string])[] = [
  [RoutingStrategy.COST, "The cheapest candidate among the healthiest. Every candidate needs a price, here or by a rate in force."],
  [RoutingStrategy.PRIORITY, "The smallest priority among the healthiest: a degraded operator waits behind the healthy ones."],
  [RoutingStrategy.FAILOVER, "The first in order as long as it can carry at all, even degraded. The next one only when it cannot."],
  [RoutingStrategy.WEIGHTED, "A draw by weight, the same for the same message. Weight 0 is the last resort."],
];

/** Values are those of the enum, as text. */
export const strategies: readonly Choice[] = sentences.map(([value, sentence]) => ({
  value: String(value),
  label: strategyWord(value),
  sentence,
}));

export const exhaustions: readonly Choice[] = [
  {
    value: String(OnExhausted.FAIL),
    label: exhaustedWord(OnExhausted.FAIL),
    sentence: "The message is refused; shorter prefixes are not asked.",
  },
  {
    value: String(OnExhausted.FALL_THROUGH),
    label: exhaustedWord(OnExhausted.FALL_THROUGH),
    sentence: "The rule of the next shorter prefix is asked.",
  },
];

export const messageTypes: readonly MessageType[] = [MessageType.SMS, MessageType.FLASH, MessageType.WAP];

/** Of a rule: none is all, also types that come later. */
export function typesText(types: readonly MessageType[]): string {
  return types.length === 0 ? "All" : types.map(messageTypeWord).join(", ");
}

/** Which columns of candidates decide something. A price always counts: it is what the answer and the decision log say. */
export interface Weighing {
  /** The order of the candidates decides: their priorities. */
  readonly order: boolean;
  /** The order decides first, so no two candidates may have one priority. */
  readonly strict: boolean;
  readonly weight: boolean;
}

export function weighing(strategy: RoutingStrategy): Weighing {
  return {
    order: strategy !== RoutingStrategy.WEIGHTED,
    strict: strategy === RoutingStrategy.PRIORITY || strategy === RoutingStrategy.FAILOVER,
    weight: strategy === RoutingStrategy.WEIGHTED,
  };
}

/** Reads the value of a choice. */
export function strategyOf(value: string): RoutingStrategy {
  return sentences.find(([one]) => String(one) === value)?.[0] ?? RoutingStrategy.UNSPECIFIED;
}

export function exhaustionOf(value: string): OnExhausted {
  return value === String(OnExhausted.FALL_THROUGH) ? OnExhausted.FALL_THROUGH : OnExhausted.FAIL;
}
