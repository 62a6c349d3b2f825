import { createClient } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { type ReleaseChange, type ReleaseDiffSummary, ReleaseSubject } from "@gen/releases/v1/release_pb";
import { ReleaseService } from "@gen/releases/v1/release_service_pb";
import { useCallback, useEffect, useState } from "react";
import { describe, type Problem } from "../../api/errors";
import { unlimited } from "../../api/transport";

/** Most changes that the schema allows to ask for. Everything is counted anyway. */
export const mostChanges = 10_000;

/** One change with a name that stays the same, for links. */
export interface ChangeRow {
  readonly key: string;
  readonly change: ReleaseChange;
}

export interface Diff {
  readonly state: "running" | "done" | "failed";
  /** Comes first. */
  readonly summary?: ReleaseDiffSummary | undefined;
  readonly rows: readonly ChangeRow[];
  /** Those of operators, which are not among rows. */
  readonly operators: readonly ChangeRow[];
  readonly problem?: Problem | undefined;
  readonly retry: () => void;
}

type Reading = Omit<Diff, "retry">;

const nothingYet: Reading = { state: "running", rows: [], operators: [] };

/** Compares two releases; neither ever changes, so it is asked once. An empty base is nothing. */
export function useDiff(releaseId: string, baseReleaseId: string): Diff {
  const transport = useTransport();
  const [reading, setReading] = useState<Reading>(nothingYet);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const control = new AbortController();
    const tell = (next: Reading): void => {
      if (!control.signal.aborted) setReading(next);
    };
    tell(nothingYet);
    const read = async (): Promise<void> => {
      const keys = new Keys();
      const rows: ChangeRow[] = [];
      const operators: ChangeRow[] = [];
      let summary: ReleaseDiffSummary | undefined;
      try {
        const client = createClient(ReleaseService, transport);
        const parts = client.diffRelease({ releaseId, baseReleaseId, maxChanges: mostChanges }, { signal: control.signal, timeoutMs: unlimited });
        for await (const { part } of parts) {
          if (part.case === "summary") summary = part.value;
          for (const change of part.case === "changes" ? part.value.changes : []) {
            (change.subject === ReleaseSubject.OPERATOR ? operators : rows).push({ key: keys.of(change), change });
          }
          tell({ state: "running", summary, rows: [...rows], operators: [...operators] });
        }
        tell({ state: "done", summary, rows, operators });
      } catch (error) {
        tell({ state: "failed", summary, rows, operators, problem: describe(error) });
      }
    };
    void read();
    return () => {
      control.abort();
    };
  }, [transport, releaseId, baseReleaseId, tries]);
  const retry = useCallback(() => {
    setTries((count) => count + 1);
  }, []);
  return { ...reading, retry };
}

/** Names changes by what they are about. */
export class Keys {
  private readonly given = new Map<string, number>();

  of({ subject, entityId, details }: ReleaseChange): string {
    const about = entityId === "" ? (details[0] ?? "").slice(0, 40).replaceAll(/[^\w.]+/g, "-") : entityId;
    const key = `${String(subject)}-${about}`;
    const before = this.given.get(key) ?? 0;
    this.given.set(key, before + 1);
    return before === 0 ? key : `${key}-${String(before + 1)}`;
  }
}
