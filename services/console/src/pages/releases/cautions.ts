import type { Release, ReleaseDiffSummary } from "@gen/releases/v1/release_pb";
import { counted, countText } from "../../parts/figures";
import { nameOf, titleOf } from "../../parts/standing";

const rulesWord = ["rule", "rules"] as const;

/**
 * Says that a release has no rules, or less than half of those of the one in force: somebody made it of a table that was not
 * filled. undefined when there is nothing to say.
 */
export function fewRules(release: Release, former: Release | undefined): string | undefined {
  const name = release.number === 0n ? "The release" : titleOf(release); // 0: only checked, not stored
  if (release.ruleCount === 0n) return `${name} has no rules: in force, every number is without a route.`;
  if (former === undefined || former.releaseId === release.releaseId || 2n * release.ruleCount >= former.ruleCount) return undefined;
  return `${name} has only ${counted(release.ruleCount, rulesWord)}, and ${nameOf(former)}, which is in force, has ${countText(former.ruleCount)}.`;
}

/** "8 operators, 427 rules, 2 rates". */
export function holds(release: Release): string {
  return [
    counted(release.operatorCount, ["operator", "operators"]),
    counted(release.ruleCount, rulesWord),
    counted(release.rateCount, ["rate", "rates"]),
  ].join(", ");
}

/** What is counted of one subject: words with their counts. */
export interface Counts {
  readonly subject: string;
  readonly counts: readonly { readonly count: bigint; readonly word: string }[];
}

/** What a publish or a rollback changes. Operators are not part of that: see operatordiff.ts. */
export function summaryCounts(s: ReleaseDiffSummary): readonly Counts[] {
  return [
    { subject: "exchange rates", counts: [{ count: s.fxRatesChanged, word: "changed" }] },
    {
      subject: "rules",
      counts: [
        { count: s.rulesAdded, word: "new" },
        { count: s.rulesRemoved, word: "gone" },
        { count: s.rulesChanged, word: "changed" },
      ],
    },
    {
      subject: "prices",
      counts: [
        { count: s.ratesAdded, word: "new" },
        { count: s.ratesRemoved, word: "gone" },
        { count: s.ratesRaised, word: "raised" },
        { count: s.ratesLowered, word: "lowered" },
        { count: s.ratesOther, word: "changed otherwise" },
      ],
    },
  ];
}

/** How many changes there are in all, operators apart. */
export function changeCount(summary: ReleaseDiffSummary): bigint {
  return summaryCounts(summary).reduce((sum, { counts }) => counts.reduce((part, { count }) => part + count, sum), 0n);
}

/** "rules: 1 new, 2 gone; prices: 1 raised". */
export function differenceText(summary: ReleaseDiffSummary): string {
  const parts = summaryCounts(summary).flatMap(({ subject, counts }) => {
    const told = counts.filter(({ count }) => count !== 0n).map(({ count, word }) => `${countText(count)} ${word}`);
    return told.length === 0 ? [] : [`${subject}: ${told.join(", ")}`];
  });
  return parts.length === 0 ? "nothing: rules, prices and exchange rates are the same" : parts.join("; ");
}
