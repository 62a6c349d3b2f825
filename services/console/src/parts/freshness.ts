import type { Freshness } from "@gen/operators/v1/freshness_pb";

/** The Freshness that an answer carries when it was read from a replica. */
export function freshnessOf(answer: unknown): Freshness | undefined {
  if (typeof answer !== "object" || answer === null || !("freshness" in answer)) return undefined;
  const freshness = answer.freshness;
  if (typeof freshness !== "object" || freshness === null || !("$typeName" in freshness)) return undefined;
  return freshness.$typeName === "trunkline.operators.v1.Freshness" ? (freshness as Freshness) : undefined;
}
