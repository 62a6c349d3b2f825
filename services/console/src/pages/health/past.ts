import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { callUnaryMethod, useTransport } from "@connectrpc/connect-query";
import type { HealthTransition, ListHealthTransitionsResponse } from "@gen/operators/v1/health_pb";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";

export const ranges = { "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000 } as const;
export type RangeKey = keyof typeof ranges;

export function rangeOf(text: string): RangeKey {
  return text in ranges ? (text as RangeKey) : "24h";
}

/** Transitions that are read at most: older ones of the range are left out, and the page says so. */
export const mostTransitions = 2000;

export interface Past {
  /** Newest first. */
  readonly transitions: readonly HealthTransition[];
  readonly whole: boolean;
  readonly freshness: ListHealthTransitionsResponse["freshness"];
}

/** What happened in the last hour, day or week; of one operator, or of all with "". news changes when something happened. */
export function usePast(range: RangeKey, operatorId: string, news: string): UseQueryResult<Past, Error> {
  const transport = useTransport();
  return useQuery({
    // Not under the key of the service, which is read anew with every report of every connector.
    queryKey: ["health transitions", range, operatorId, news],
    queryFn: async ({ signal }): Promise<Past> => {
      const startTime = timestampFromDate(new Date(Date.now() - ranges[range]));
      const transitions: HealthTransition[] = [];
      let pageToken = "";
      let freshness: Past["freshness"];
      do {
        const answer = await callUnaryMethod(
          transport,
          OperatorService.method.listHealthTransitions,
          { operatorId, startTime, pageSize: 1000, pageToken },
          { signal },
        );
        transitions.push(...answer.transitions);
        freshness ??= answer.freshness;
        pageToken = answer.nextPageToken;
      } while (pageToken !== "" && transitions.length < mostTransitions);
      return { transitions: transitions.slice(0, mostTransitions), whole: pageToken === "", freshness };
    },
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  });
}

/** The moment up to which timelines are drawn; it moves by itself, and at once with the news. */
export function useNow(news: string, every = 10_000): Date {
  const [tick, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTick((count) => count + 1), every);
    return () => clearInterval(timer);
  }, [every]);
  return useMemo(() => new Date(), [tick, news]);
}

/** From when on everything is known, if not all of the range was read. */
export function knownSince({ transitions, whole }: Past): Date | undefined {
  const oldest = transitions.at(-1)?.occurTime;
  return whole || oldest === undefined ? undefined : timestampDate(oldest);
}

export function byOperator(transitions: readonly HealthTransition[]): ReadonlyMap<string, readonly HealthTransition[]> {
  const map = new Map<string, HealthTransition[]>();
  for (const one of transitions) {
    const list = map.get(one.operatorId);
    if (list === undefined) map.set(one.operatorId, [one]);
    else list.push(one);
  }
  return map;
}
