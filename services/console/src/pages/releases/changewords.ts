import { type ReleaseChange, ReleaseChangeKind, ReleaseSubject } from "@gen/releases/v1/release_pb";
import type { Option } from "../../parts/filter";
import type { Tone } from "../../parts/status";
import type { ChangeRow } from "./diff";

/** Subjects and kinds of changes, by the words that stand in the address. Operators have a table of their own. */
export const subjects: readonly (Option & { readonly subject: ReleaseSubject })[] = [
  { value: "rule", label: "Rules", subject: ReleaseSubject.RULE },
  { value: "price", label: "Prices", subject: ReleaseSubject.RATE },
  { value: "fx", label: "Exchange rates", subject: ReleaseSubject.FX_RATE },
];

export const kinds: readonly (Option & { readonly kind: ReleaseChangeKind; readonly tone: Tone })[] = [
  { value: "new", label: "New", kind: ReleaseChangeKind.ADDED, tone: "good" },
  { value: "gone", label: "Gone", kind: ReleaseChangeKind.REMOVED, tone: "bad" },
  { value: "changed", label: "Changed", kind: ReleaseChangeKind.CHANGED, tone: "info" },
];

const one: Readonly<Record<ReleaseSubject, string>> = {
  [ReleaseSubject.UNSPECIFIED]: "Other",
  [ReleaseSubject.OPERATOR]: "Operator",
  [ReleaseSubject.FX_RATE]: "Exchange rate",
  [ReleaseSubject.RULE]: "Rule",
  [ReleaseSubject.RATE]: "Price",
};

export const subjectWord = (subject: ReleaseSubject): string => one[subject] ?? "Other";

export function kindOf(kind: ReleaseChangeKind): { readonly label: string; readonly tone: Tone } {
  return kinds.find((known) => known.kind === kind) ?? { label: "Changed", tone: "info" };
}

/** What a change is called: its prefix, its operator, or what it says first. */
export function changeName(change: ReleaseChange): string {
  switch (change.subject) {
    case ReleaseSubject.RULE:
    case ReleaseSubject.RATE:
      return change.prefix;
    case ReleaseSubject.OPERATOR:
      return change.operatorName === "" ? change.entityId : change.operatorName;
    default:
      return change.details[0] ?? "";
  }
}

export interface ChangeFilter {
  readonly subjects: readonly string[];
  readonly kinds: readonly string[];
  /** Start of a prefix, or a part of an operator's name. */
  readonly search: string;
}

/** Rows that the filter leaves. Digits look for prefixes, anything else for operators and details. */
export function filtered(rows: readonly ChangeRow[], filter: ChangeFilter): readonly ChangeRow[] {
  const wantedSubjects = new Set(subjects.filter(({ value }) => filter.subjects.includes(value)).map(({ subject }) => subject));
  const wantedKinds = new Set(kinds.filter(({ value }) => filter.kinds.includes(value)).map(({ kind }) => kind));
  const search = filter.search.trim();
  return rows.filter(
    ({ change }) =>
      (wantedSubjects.size === 0 || wantedSubjects.has(change.subject)) &&
      (wantedKinds.size === 0 || wantedKinds.has(change.kind)) &&
      matches(change, search),
  );
}

function matches(change: ReleaseChange, search: string): boolean {
  if (search === "") return true;
  const digits = search.replace(/[\s()-]/g, "");
  if (/^\+?\d+$/.test(digits)) return change.prefix.startsWith(digits.startsWith("+") ? digits : `+${digits}`);
  const text = search.toLowerCase();
  return [change.operatorName, ...change.details].some((part) => part.toLowerCase().includes(text));
}
