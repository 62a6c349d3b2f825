import { callUnaryMethod, useTransport } from "@connectrpc/connect-query";
import type { DecisionRecord } from "@gen/routing/v1/decision_pb";
import { DecisionService } from "@gen/routing/v1/decision_service_pb";
import { useCallback, useEffect, useRef, useState } from "react";
import { describe, type Problem } from "../../api/errors";
import type { TableData } from "../../parts/tablequery";

interface Found {
  /** What was searched for; "" for nothing. */
  readonly number: string;
  readonly rows: readonly DecisionRecord[];
  readonly token: string;
  readonly state: "loading" | "failed" | "ready";
  readonly problem?: Problem;
  readonly loadingMore: boolean;
  readonly moreProblem?: Problem;
}

const nothing: Found = { number: "", rows: [], token: "", state: "ready", loadingMore: false };

export interface NumberSearch {
  readonly number: string;
  readonly data: TableData<DecisionRecord>;
  readonly search: (number: string) => void;
  readonly clear: () => void;
}

/**
 * Decisions about one whole number. Every call is a line of the audit log, so nothing here reads again by itself, as queries do; the number is in
 * memory only.
 */
export function useNumberSearch(): NumberSearch {
  const transport = useTransport();
  const [found, setFound] = useState(nothing);
  const call = useRef<AbortController>(undefined);
  useEffect(() => () => call.current?.abort(), []);

  const read = useCallback(
    async (former: Found) => {
      call.current?.abort();
      const one = new AbortController();
      call.current = one;
      setFound(former);
      try {
        const page = await callUnaryMethod(transport, DecisionService.method.listDecisions, { number: former.number, pageSize: 500, pageToken: former.token }, { signal: one.signal });
        if (one.signal.aborted) return;
        setFound({ number: former.number, rows: [...former.rows, ...page.decisions], token: page.nextPageToken, state: "ready", loadingMore: false });
      } catch (error) {
        if (one.signal.aborted) return;
        const problem = describe(error);
        setFound(former.rows.length > 0 ? { ...former, state: "ready", loadingMore: false, moreProblem: problem } : { ...former, state: "failed", problem, loadingMore: false });
      }
    },
    [transport],
  );
  const search = useCallback((number: string) => void read({ ...nothing, number, state: "loading" }), [read]);
  const clear = useCallback(() => {
    call.current?.abort();
    setFound(nothing);
  }, []);
  return {
    number: found.number,
    search,
    clear,
    data: {
      rows: found.rows,
      state: found.state,
      problem: found.problem,
      more: found.token !== "",
      loadingMore: found.loadingMore,
      moreProblem: found.moreProblem,
      previous: false,
      loadMore: () => {
        if (found.token !== "" && !found.loadingMore) void read({ ...found, loadingMore: true });
      },
      retry: () => search(found.number),
    },
  };
}
