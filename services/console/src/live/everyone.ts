import { callUnaryMethod, createConnectQueryKey, useTransport } from "@connectrpc/connect-query";
import type { OperatorHealthEvent } from "@gen/events/v1/operator_health_event_pb";
import type { ListOperatorsResponse } from "@gen/operators/v1/operator_pb";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { useServerNow } from "./clock";
import { useHealthWords } from "./health";
import { byTrouble, type Heard, type Present, presentOf } from "./present";

/** Pages of a thousand operators that are read at most. */
const pages = 10;

/** The ages of reports count even when nothing is heard. */
const again = 15_000;

interface Read {
  readonly answers: readonly ListOperatorsResponse[];
  /** When it was asked for. */
  readonly at: number;
  readonly freshness: ListOperatorsResponse["freshness"];
}

interface Everyone {
  readonly query: UseQueryResult<Read, Error>;
  /** The worst first. */
  readonly all: readonly Present[];
  /** By the server's clock: the moment that all are looked at. */
  readonly now: Date;
}

/** All operators and how they are, each event at once. */
export function useEveryone(): Everyone {
  const transport = useTransport();
  const query = useQuery({
    queryKey: [...createConnectQueryKey({ schema: OperatorService.method.listOperators, transport, cardinality: "finite" }), "health"],
    queryFn: async ({ signal }): Promise<Read> => {
      const at = Date.now();
      const answers: ListOperatorsResponse[] = [];
      let pageToken = "";
      do {
        const answer = await callUnaryMethod(transport, OperatorService.method.listOperators, { pageSize: 1000, pageToken }, { signal });
        answers.push(answer);
        pageToken = answer.nextPageToken;
      } while (pageToken !== "" && answers.length < pages);
      return { answers, at, freshness: answers[0]?.freshness };
    },
    refetchInterval: again,
  });
  const [heard, setHeard] = useState<ReadonlyMap<string, Heard>>(() => new Map());
  useHealthWords(
    useCallback((words: readonly OperatorHealthEvent[]) => {
      const at = Date.now();
      setHeard((former) => {
        const next = new Map(former);
        for (const event of words) next.set(event.operatorId, { event, at });
        return next;
      });
    }, []),
  );
  const now = useServerNow();
  const all = useMemo(() => {
    if (query.data === undefined) return [];
    const { answers, at } = query.data;
    return answers
      .flatMap(({ operators, health }) => operators.map((operator, index) => presentOf(operator, health[index], at, heard.get(operator.operatorId), now)))
      .sort(byTrouble);
  }, [query.data, heard, now]);
  return { query, all, now };
}
