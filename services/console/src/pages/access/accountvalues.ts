import type { Account } from "@gen/access/v1/account_pb";
import type { MergeField } from "../../parts/merge";

/** What a form edits of an account. */
export interface AccountValues {
  readonly name: string;
  readonly notes: string;
}

export const blankAccount: AccountValues = { name: "", notes: "" };

export function valuesOf({ name, notes }: Account): AccountValues {
  return { name, notes };
}

/** update_mask: what differs. */
export function maskOf(before: AccountValues, after: AccountValues): ("name" | "notes")[] {
  const now = tidy(after);
  return (["name", "notes"] as const).filter((field) => before[field] !== now[field]);
}

/** As it is sent: a name has no spaces around it. */
export function tidy({ name, notes }: AccountValues): AccountValues {
  return { name: name.trim(), notes };
}

export function nameComplaint(name: string): string | null {
  const length = [...name.trim()].length;
  if (length === 0) return "Give a name.";
  return length > 100 ? "At most 100 characters." : null;
}

export function notesComplaint(notes: string): string | null {
  return [...notes].length > 2000 ? "At most 2,000 characters." : null;
}

export const complaints = { name: nameComplaint, notes: notesComplaint };

export const mergeFields: readonly MergeField<AccountValues>[] = [
  { name: "name", label: "Name" },
  { name: "notes", label: "Notes" },
];
