import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { callUnaryMethod, createConnectQueryKey, useTransport } from "@connectrpc/connect-query";
import type { Freshness } from "@gen/operators/v1/freshness_pb";
import { type Release, type ReleaseActivation, type ReleaseEngine, ReleaseState } from "@gen/releases/v1/release_pb";
import { ReleaseService } from "@gen/releases/v1/release_service_pb";
import { useQuery, type UseQueryResult } from "@tanstack/react-query";

/** What is in force, and what engines say about it. */
export interface Standing {
  /** Absent when no release was ever published. */
  readonly release?: Release;
  readonly activations: readonly ReleaseActivation[];
  readonly engines: readonly ReleaseEngine[];
  readonly freshness?: Freshness | undefined;
}

/** Every release, newest first. */
export interface Releases {
  readonly releases: readonly Release[];
  readonly freshness?: Freshness | undefined;
}

export async function readStanding(transport: Transport, signal: AbortSignal): Promise<Standing> {
  try {
    const answer = await callUnaryMethod(transport, ReleaseService.method.getRelease, {}, { signal });
    const { release, activations, engines, freshness } = answer;
    return { ...(release === undefined ? {} : { release }), activations, engines, freshness };
  } catch (error) {
    if (ConnectError.from(error).code === Code.NotFound) return { activations: [], engines: [] };
    throw error;
  }
}

/** Most releases that a page of the list may hold. */
const pageSize = 1000;

/**
 * Reads them all: the one that is scheduled may be old, and nobody may publish over it unseen. There is one a day or less, so a page
 * has them for years.
 */
export async function readReleases(transport: Transport, signal: AbortSignal): Promise<Releases> {
  const releases: Release[] = [];
  let freshness: Freshness | undefined;
  for (let pageToken = ""; ; ) {
    const page = await callUnaryMethod(transport, ReleaseService.method.listReleases, { pageSize, pageToken }, { signal });
    releases.push(...page.releases);
    freshness ??= page.freshness;
    if (page.nextPageToken === "" || page.nextPageToken === pageToken) return { releases, freshness };
    pageToken = page.nextPageToken;
  }
}

export function useStanding(): UseQueryResult<Standing, Error> {
  const transport = useTransport();
  const key = createConnectQueryKey({ schema: ReleaseService.method.getRelease, input: {}, transport, cardinality: "finite" });
  return useQuery({ queryKey: [...key, "standing"], queryFn: ({ signal }) => readStanding(transport, signal) });
}

export function useReleases(): UseQueryResult<Releases, Error> {
  const transport = useTransport();
  const key = createConnectQueryKey({ schema: ReleaseService.method.listReleases, input: {}, transport, cardinality: "finite" });
  return useQuery({ queryKey: [...key, "all"], queryFn: ({ signal }) => readReleases(transport, signal) });
}

/** The one that waits for its moment: a publish or a rollback calls it off. */
export function scheduledOf(releases: readonly Release[] | undefined): Release | undefined {
  return releases?.find(({ state }) => state === ReleaseState.SCHEDULED);
}

/** Finds a release by its id. */
export function named(releases: readonly Release[] | undefined, id: string): Release | undefined {
  return id === "" ? undefined : releases?.find(({ releaseId }) => releaseId === id);
}

/** "release 12". */
export function nameOf(release: Release | undefined): string {
  return release === undefined ? "another release" : `release ${String(release.number)}`;
}

/** What a release is called at the start of a sentence. */
export function titleOf(release: Release): string {
  return `Release ${String(release.number)}`;
}
