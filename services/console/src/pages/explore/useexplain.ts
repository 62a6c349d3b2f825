import { useQuery } from "@connectrpc/connect-query";
import type { ExplainRouteResponse } from "@gen/routing/v1/routing_pb";
import { RoutingService } from "@gen/routing/v1/routing_service_pb";
import type { WatchEventsResponse } from "@gen/operators/v1/event_pb";
import { keepPreviousData, skipToken, type UseQueryResult } from "@tanstack/react-query";
import { useCallback } from "react";
import { useEngine } from "../../api/engine";
import { useEvents } from "../../live/events";
import type { Question } from "./question";

/** Health changes without a word for us: the answer is asked for again. */
const again = 10_000;

/** Asks the engine. The former answer stays until the next one is there. */
export function useExplain(question: Question | undefined): UseQueryResult<ExplainRouteResponse, Error> {
  const query = useQuery(
    RoutingService.method.explainRoute,
    question === undefined
      ? skipToken
      : { query: { to: question.to, accountId: question.accountId, messageType: question.type, excludeOperatorIds: [...question.exclude] } },
    { transport: useEngine(), placeholderData: keepPreviousData, refetchInterval: again, staleTime: 0 },
  );
  const { refetch } = query;
  const asked = question !== undefined;
  useEvents(
    useCallback(
      ({ event }: WatchEventsResponse) => {
        if (asked && (event.case === "operatorConfig" || event.case === "release")) void refetch();
      },
      [asked, refetch],
    ),
  );
  return query;
}
