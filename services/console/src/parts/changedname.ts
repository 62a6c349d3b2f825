import type { AuditRow } from "@gen/access/v1/audit_pb";

/** The name or the prefix of what an audit row is about; undefined when it has neither. */
export function changedName({ before, after }: Pick<AuditRow, "before" | "after">): string | undefined {
  return nameIn(after) ?? nameIn(before);
}

function nameIn(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== "object" || value === null) return undefined;
    const found = "name" in value ? value.name : "prefix" in value ? value.prefix : undefined;
    return typeof found === "string" ? found : undefined;
  } catch {
    return undefined;
  }
}
