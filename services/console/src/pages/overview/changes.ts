import type { AuditRow, ListAuditRowsResponse } from "@gen/access/v1/audit_pb";

/** What the audit log keeps that changed nothing: who was refused, and who read what. */
const noChanges: ReadonlySet<string> = new Set(["access.denied", "credentials.read", "decisions.search"]);

/** Changes that are shown. */
const wanted = 5;

const pageSize = 100;

/** Somebody who is refused all day long must not make the page read the whole log. */
const mostPages = 5;

export interface Changes {
  /** Newest first. */
  readonly changes: readonly AuditRow[];
  /** Rows that were read to find them. */
  readonly looked: number;
  /** Whether that is all of the log. */
  readonly whole: boolean;
}

/** The last changes. The API cannot leave actions out, so the log is read until there are enough. */
export async function recentChanges(list: (input: { pageSize: number; pageToken: string }) => Promise<ListAuditRowsResponse>): Promise<Changes> {
  const changes: AuditRow[] = [];
  let looked = 0;
  let pageToken = "";
  for (let page = 0; page < mostPages; page++) {
    // Usually the first few rows are enough.
    const answer = await list({ pageSize: page === 0 ? wanted * 4 : pageSize, pageToken });
    looked += answer.rows.length;
    changes.push(...answer.rows.filter(({ action }) => !noChanges.has(action)));
    pageToken = answer.nextPageToken;
    if (changes.length >= wanted || pageToken === "") break;
  }
  return { changes: changes.slice(0, wanted), looked, whole: pageToken === "" };
}
