import { useQuery } from "@connectrpc/connect-query";
import type { GetOutboxStatusResponse } from "@gen/operators/v1/outbox_pb";
import { OutboxService } from "@gen/operators/v1/outbox_service_pb";
import { createConnectQueryKey, useTransport } from "@connectrpc/connect-query";
import { ReleaseService } from "@gen/releases/v1/release_service_pb";
import { useQuery as usePlainQuery, type UseQueryResult } from "@tanstack/react-query";
import { useMemo } from "react";
import { useLive } from "../../live/events";
import type { Link } from "../../live/follow";
import { durationMs } from "../../parts/when";
import { useEveryone } from "../../live/everyone";
import { readStanding, type Standing } from "../../parts/standing";
import { useDependencies } from "../../live/dependencies";
import type { Outbox, Situation } from "./alerts";
import type { Traffic } from "./traffic";

/** How often states are read that no event tells, in milliseconds. */
const every = 15_000;

/** Breaks that are shorter than this many milliseconds concern nobody. */
const patience = 5_000;

type Everyone = ReturnType<typeof useEveryone>;

interface Looked {
  readonly situation: Situation;
  readonly everyone: Everyone;
  readonly standing: UseQueryResult<Standing, Error>;
  /** Since when what is shown is old, if it is. */
  readonly staleSince?: Date;
  readonly retry: () => void;
}

/** Reads all that the page is about, and goes on reading it. */
export function useSituation(traffic: Traffic | undefined, trafficLink: Link): Looked {
  const everyone = useEveryone();
  const standing = useStanding();
  const outbox = useQuery(OutboxService.method.getOutboxStatus, {}, { refetchInterval: every });
  const process = useDependencies();
  const live = useLive();
  const { now } = everyone;
  const lost = lostSince([live.link, trafficLink]);

  const situation = useMemo(
    (): Situation => ({
      now,
      ...(everyone.query.data === undefined ? {} : { operators: everyone.all }),
      ...(standing.data === undefined ? {} : { engines: standing.data.engines }),
      ...(outbox.data === undefined ? {} : { outbox: outboxOf(outbox.data) }),
      ...(process.data === undefined ? {} : { process: process.data }),
      ...(process.error === null ? {} : { silent: silence(lost, process.data === undefined ? undefined : new Date(process.dataUpdatedAt)) }),
      ...(lost === undefined || Date.now() - lost.getTime() < patience ? {} : { lost: { since: lost } }),
      ...(traffic === undefined ? {} : { traffic }),
    }),
    [now, everyone.all, everyone.query.data, standing.data, outbox.data, process.data, process.error, process.dataUpdatedAt, lost, traffic],
  );
  const queries = [everyone.query, standing, outbox, process];
  const failed = queries.filter(({ error, data }) => error !== null && data !== undefined).map(({ dataUpdatedAt }) => dataUpdatedAt);
  return {
    situation,
    everyone,
    standing,
    ...(failed.length === 0 ? {} : { staleSince: new Date(Math.min(...failed)) }),
    retry: () => {
      for (const { refetch } of queries) void refetch();
    },
  };
}

/** What is in force, under the key that the releases page has for it. */
function useStanding(): UseQueryResult<Standing, Error> {
  const transport = useTransport();
  const key = createConnectQueryKey({ schema: ReleaseService.method.getRelease, input: {}, transport, cardinality: "finite" });
  return usePlainQuery({ queryKey: [...key, "standing"], queryFn: ({ signal }) => readStanding(transport, signal), refetchInterval: every });
}

function outboxOf({ pending, pendingPublish, oldest }: GetOutboxStatusResponse): Outbox {
  return { pending: Number(pending), pendingPublish: Number(pendingPublish), ...(oldest === undefined ? {} : { oldest: durationMs(oldest) }) };
}

/** One time for all that is shown: that of the streams, which break first. */
function silence(lost: Date | undefined, read: Date | undefined): { readonly since?: Date } {
  const since = lost ?? read;
  return since === undefined ? {} : { since };
}

function lostSince(links: readonly Link[]): Date | undefined {
  const times = links.flatMap((link) => (link.state === "lost" ? [link.since.getTime()] : []));
  const first = times.length === 0 ? undefined : Math.min(...times);
  return useMemo(() => (first === undefined ? undefined : new Date(first)), [first]);
}
