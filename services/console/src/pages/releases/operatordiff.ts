import { type ReleaseChange, ReleaseChangeKind, type ReleaseDiffSummary, ReleaseSubject } from "@gen/releases/v1/release_pb";
import { counted, countText } from "../../parts/figures";

/** How many operators differ between the copies that two releases keep. */
export interface OperatorCounts {
  readonly all: bigint;
  readonly added: bigint;
  readonly removed: bigint;
  readonly changed: bigint;
}

/** Counts kinds apart. Changes come with operators first, so that they are all among those that were read before any other. */
export function operatorCounts(summary: ReleaseDiffSummary, changes: Iterable<ReleaseChange>): OperatorCounts {
  const kinds = [...changes].filter(({ subject }) => subject === ReleaseSubject.OPERATOR).map(({ kind }) => kind);
  const of = (wanted: ReleaseChangeKind): bigint => BigInt(kinds.filter((kind) => kind === wanted).length);
  return {
    all: summary.operatorsChanged,
    added: of(ReleaseChangeKind.ADDED),
    removed: of(ReleaseChangeKind.REMOVED),
    changed: of(ReleaseChangeKind.CHANGED),
  };
}

/** "151 new, 1 changed"; only how many while not all of them were read. "" for none. */
export function operatorsText({ all, added, removed, changed }: OperatorCounts): string {
  if (all === 0n) return "";
  if (added + removed + changed !== all) return counted(all, ["differs", "differ"]);
  const parts = [
    [added, "new"],
    [removed, "gone"],
    [changed, "changed"],
  ] as const;
  return parts.filter(([count]) => count !== 0n).map(([count, word]) => `${countText(count)} ${word}`).join(", ");
}

/** Why operators are not among what a publish or a rollback changes. */
export const operatorsApart = "The status and settings of operators count at once in every release: publishing and going back change none of them.";
