import { type MessageShape } from "@bufbuild/protobuf";
import { createConnectQueryKey } from "@connectrpc/connect-query";
import { BindState, type OperatorHealthEvent, Quality } from "@gen/events/v1/operator_health_event_pb";
import { type GetOperatorHealthResponseSchema, type OperatorHealth } from "@gen/operators/v1/health_pb";
import { type ListOperatorsResponse } from "@gen/operators/v1/operator_pb";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { type InfiniteData, type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { useHealthWords } from "../../live/health";

/** The health after an event; the same object when the event is older or says nothing new. */
export function told(health: OperatorHealth, event: OperatorHealthEvent): OperatorHealth {
  if (event.version !== 0n && event.version < health.version) return health;
  const bindState = event.status === BindState.UNSPECIFIED ? health.bindState : event.status;
  const quality = qualityAfter(health, event);
  const same = bindState === health.bindState && quality === health.quality;
  if (same && event.version <= health.version && event.occurredAt === undefined) return health;
  return {
    ...health,
    bindState,
    quality,
    version: event.version === 0n ? health.version : event.version,
    byHand: event.version === 0n || (health.byHand && event.version === health.version),
    ...(event.occurredAt === undefined ? {} : { observeTime: event.occurredAt, ...(same ? {} : { changeTime: event.occurredAt }) }),
  };
}

/** What a word does not say of quality follows from its bind state, as on the server. */
function qualityAfter(before: OperatorHealth, { status, quality }: OperatorHealthEvent): Quality {
  if (quality !== Quality.UNSPECIFIED) return quality;
  if (status === BindState.UNBOUND) return Quality.UNHEALTHY;
  const up = status === BindState.BOUND || status === BindState.FAILBACK;
  const worse = before.bindState !== BindState.UNBOUND && before.quality !== Quality.UNSPECIFIED;
  return up && !worse ? Quality.HEALTHY : before.quality;
}

type Pages = InfiniteData<ListOperatorsResponse>;
type HealthAnswer = MessageShape<typeof GetOperatorHealthResponseSchema>;

/** Writes events into what was read, so that it shows at once; reading it again, which follows, confirms it. */
export function patchHealth(queries: QueryClient, events: ReadonlyMap<string, OperatorHealthEvent>): void {
  const after = (health: OperatorHealth): OperatorHealth => {
    const event = events.get(health.operatorId);
    return event === undefined ? health : told(health, event);
  };
  const lists = createConnectQueryKey({ schema: OperatorService.method.listOperators, cardinality: "infinite" });
  queries.setQueriesData<Pages>({ queryKey: lists }, (data) => {
    if (data === undefined) return undefined;
    const pages = data.pages.map((page) => {
      const health = page.health.map(after);
      return health.every((one, index) => one === page.health[index]) ? page : { ...page, health };
    });
    return pages.every((page, index) => page === data.pages[index]) ? data : { ...data, pages };
  });
  const single = createConnectQueryKey({ schema: OperatorService.method.getOperatorHealth, cardinality: "finite" });
  queries.setQueriesData<HealthAnswer>({ queryKey: single }, (data) => {
    if (data?.health === undefined) return data;
    const health = after(data.health);
    return health === data.health ? data : { ...data, health };
  });
}

/** Keeps the health that is shown up with the events. */
export function useLiveHealth(): void {
  const queries = useQueryClient();
  useHealthWords(
    useCallback(
      (words: readonly OperatorHealthEvent[]) => {
        patchHealth(queries, new Map(words.map((word) => [word.operatorId, word])));
      },
      [queries],
    ),
  );
}
