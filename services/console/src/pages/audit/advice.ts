/** What to do about a defect of the chain, by its reason. */
const advice: Readonly<Record<string, string>> = {
  ROW_CHANGED: "Somebody wrote into the table by SQL. Keep the database as it is, compare the row with the last backup, and find out who has the owner's password.",
  ROW_MISSING: "A row was taken out by SQL. Keep the database as it is and look for the row in the last backup.",
  LINK_MISSING: "A place of the chain was taken out by SQL. Keep the database as it is and compare the chain with the last backup.",
  SEAL_OVERDUE: "Look whether an operator-management runs and reaches the database. When one does, the place of the row was taken out.",
  HEAD_MISSING: "The end was cut off, or the database comes from a backup that is older than this head. Look for the ticket of a restore; without one, keep the database as it is.",
};

export function adviceFor(reason: string): string {
  return advice[reason] ?? "Keep the database as it is, and compare the row with the last backup.";
}

/** Whether the text can be a head: 64 hexadecimal digits, in any case. */
export function headComplaint(text: string): string | null {
  return /^([0-9a-f]{64})?$/i.test(text.trim()) ? null : "A head has 64 hexadecimal digits.";
}
