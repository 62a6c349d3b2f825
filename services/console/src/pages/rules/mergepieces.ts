import type { MoneyText } from "../../parts/money";
import { type CandidateValues, fitted, sorted } from "./candidates";
import type { RuleValues } from "./ruleform";
import { strategyOf } from "./strategies";

/** What two people may have changed without getting in each other's way: a field of the rule, an operator, or one figure of an operator. */
type Piece = string | boolean | MoneyText | CandidateValues | undefined;
export type Pieces = Readonly<Record<string, Piece>>;

/** Fields of the rule that are merged as a whole. What a rule is for never changes. */
export const plainNames = ["country", "strategy", "onExhausted", "active", "validFrom", "validTo", "description"] as const;
export const figures = ["priority", "weight", "price"] as const;
type Figure = (typeof figures)[number];

/** The piece of an operator that one of the versions lacks: the candidate itself, or undefined where it is not in the rule. */
export function rowName(operatorId: string): string {
  return `row ${operatorId}`;
}

/** The piece of an operator that all versions have. */
export function figureName(figure: Figure, operatorId: string): string {
  return `${figure} ${operatorId}`;
}

/** Which operators the versions have: those of all of them, whose figures are merged one by one, and the rest. */
export interface Carriers {
  readonly common: readonly string[];
  readonly others: readonly string[];
}

export function carriersOf(versions: readonly RuleValues[]): Carriers {
  const all = [...new Set(versions.flatMap(({ candidates }) => candidates.map(({ operatorId }) => operatorId)))];
  const common = all.filter((id) => versions.every(({ candidates }) => candidates.some(({ operatorId }) => operatorId === id)));
  return { common, others: all.filter((id) => !common.includes(id)) };
}

/** A version in pieces. The values have to be plain, so that what is the same looks the same. */
export function piecesOf(values: RuleValues, { common, others }: Carriers): Pieces {
  const pieces: Record<string, Piece> = {};
  for (const name of plainNames) pieces[name] = values[name];
  const rowOf = (id: string): CandidateValues | undefined => values.candidates.find(({ operatorId }) => operatorId === id);
  for (const id of common) for (const figure of figures) pieces[figureName(figure, id)] = rowOf(id)?.[figure];
  for (const id of others) pieces[rowName(id)] = rowOf(id);
  return pieces;
}

/**
 * The version that pieces make, in the place of theirs. Both may have given one priority to different operators: where the strategy
 * refuses that, the order stays and priorities are dealt anew.
 */
export function assembled(pieces: Pieces, theirs: RuleValues, { common, others }: Carriers): RuleValues {
  const values: Record<string, Piece> = {};
  for (const name of plainNames) values[name] = pieces[name];
  const merged = { ...theirs, ...(values as Partial<RuleValues>) };
  const rowOf = (id: string): CandidateValues | undefined => {
    if (others.includes(id)) return pieces[rowName(id)] as CandidateValues | undefined;
    const base = theirs.candidates.find(({ operatorId }) => operatorId === id);
    const changed = Object.fromEntries(figures.map((figure) => [figure, pieces[figureName(figure, id)]]));
    return base === undefined ? undefined : { ...base, ...(changed as Partial<CandidateValues>) };
  };
  // Theirs first: of equal priorities theirs come before what is added to them.
  const order = [...new Set([...theirs.candidates.map(({ operatorId }) => operatorId), ...common, ...others])];
  const candidates = order.map(rowOf).filter((row) => row !== undefined);
  return { ...merged, candidates: fitted(sorted(candidates), strategyOf(merged.strategy)) };
}
