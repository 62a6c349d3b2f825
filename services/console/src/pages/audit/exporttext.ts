import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { AuditRow } from "@gen/access/v1/audit_pb";
import { type CsvColumn, csvText } from "../../parts/csv";

export type ExportForm = "jsonl" | "csv";

/** The columns of `trunkline audit export -o csv`. */
const columns: readonly CsvColumn<AuditRow>[] = [
  { name: "sequence", value: (row) => String(row.sequence) },
  { name: "occur_time", value: (row) => moment(row) },
  { name: "actor", value: (row) => row.actor },
  { name: "action", value: (row) => row.action },
  { name: "entity", value: (row) => row.entity },
  { name: "entity_id", value: (row) => row.entityId },
  { name: "request_id", value: (row) => row.requestId },
  { name: "before", value: (row) => row.before },
  { name: "after", value: (row) => row.after },
  { name: "audit_id", value: (row) => row.auditId },
  { name: "hash", value: (row) => row.hash },
];

/** Rows as text; head for the first ones of a file. */
export function exportText(form: ExportForm, rows: readonly AuditRow[], head: boolean): string {
  if (form === "jsonl") return rows.map((row) => `${line(row)}\n`).join("");
  const text = csvText(rows, columns);
  return head ? text : text.slice(text.indexOf("\n") + 1);
}

/** before and after stay texts: read and written anew, their long numbers would lose digits. */
function line(row: AuditRow): string {
  const cells = columns.map(({ name, value }) => [name, value(row)] as const);
  return JSON.stringify(Object.fromEntries(cells.filter(([, text]) => text !== "")));
}

function moment({ occurTime }: AuditRow): string {
  if (occurTime === undefined) return "";
  const micros = String(Math.trunc(occurTime.nanos / 1000)).padStart(6, "0");
  return `${timestampDate(occurTime).toISOString().slice(0, 19)}.${micros}Z`;
}
