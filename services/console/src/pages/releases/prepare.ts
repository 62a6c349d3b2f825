import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { callUnaryMethod, useTransport } from "@connectrpc/connect-query";
import { type Release, type ReleaseChange, type ReleaseDiffSummary, ReleaseSubject } from "@gen/releases/v1/release_pb";
import { ReleaseService } from "@gen/releases/v1/release_service_pb";
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { describe, type Problem } from "../../api/errors";
import { unlimited } from "../../api/transport";
import { mostChanges } from "./diff";
import { type OperatorCounts, operatorCounts } from "./operatordiff";
import { readReleases, readStanding, scheduledOf, type Standing } from "../../parts/standing";

/** What a publish or a rollback meets, all read at the moment when somebody asks for it. */
export interface Prepared {
  readonly standing: Standing;
  readonly releases: readonly Release[];
  /** The one that it calls off. */
  readonly scheduled?: Release | undefined;
  /** The release that would be in force; absent when it was refused before it was known. */
  readonly release?: Release | undefined;
  readonly difference?: Difference | undefined;
  /** Why the server would refuse it. */
  readonly refusal?: Problem | undefined;
}

/** What would change, and beside that the operators that differ. */
export interface Difference {
  readonly summary: ReleaseDiffSummary;
  readonly operators: OperatorCounts;
}

/** What it would do, asked with validate_only; it may choose the release. */
type Check = (transport: Transport, met: Pick<Prepared, "standing" | "releases">, signal: AbortSignal) => Promise<Release | undefined>;

export async function checkPublish(transport: Transport, releaseId: string, standing: Standing, signal: AbortSignal): Promise<Release | undefined> {
  const { release } = await callUnaryMethod(transport, ReleaseService.method.getRelease, { releaseId }, { signal });
  const input = { releaseId, etag: release?.etag ?? "", expectedReleaseId: standing.release?.releaseId ?? "", validateOnly: true };
  await callUnaryMethod(transport, ReleaseService.method.publishRelease, input, { signal });
  return release;
}

export async function checkRollback(transport: Transport, releaseId: string, standing: Standing, signal: AbortSignal): Promise<Release | undefined> {
  const input = { releaseId, expectedReleaseId: standing.release?.releaseId ?? "", validateOnly: true };
  return (await callUnaryMethod(transport, ReleaseService.method.rollbackRelease, input, { signal })).release;
}

/**
 * Prepares the question of a dialog. A refusal of the check is an answer; anything else that fails, fails. Nothing of it is kept:
 * a question about old facts is worse than a short wait.
 */
export function usePrepared(name: readonly string[], enabled: boolean, known: Release | undefined, check: Check): UseQueryResult<Prepared, Error> {
  const transport = useTransport();
  return useQuery({
    queryKey: ["releases", "prepare", ...name],
    enabled,
    gcTime: 0,
    staleTime: Infinity,
    queryFn: async ({ signal }): Promise<Prepared> => {
      const [standing, { releases }] = await Promise.all([readStanding(transport, signal), readReleases(transport, signal)]);
      const met = { standing, releases, scheduled: scheduledOf(releases) };
      try {
        const release = await check(transport, met, signal);
        return { ...met, release, difference: await readDifference(transport, release, standing.release, signal) };
      } catch (error) {
        if (!refusing(error)) throw error;
        return { ...met, release: releases.find(({ releaseId }) => releaseId === known?.releaseId), refusal: describe(error) };
      }
    },
  });
}

function refusing(error: unknown): boolean {
  const { code } = ConnectError.from(error);
  return code === Code.FailedPrecondition || code === Code.Aborted || code === Code.InvalidArgument || code === Code.NotFound;
}

/** The sums of what would change. Changes are read only as far as operators go, which come first. */
async function readDifference(
  transport: Transport, release: Release | undefined, former: Release | undefined, signal: AbortSignal,
): Promise<Difference | undefined> {
  if (release === undefined || release.releaseId === former?.releaseId) return undefined;
  const input = { releaseId: release.releaseId, baseReleaseId: former?.releaseId ?? "", maxChanges: mostChanges };
  let summary: ReleaseDiffSummary | undefined;
  const operators: ReleaseChange[] = [];
  for await (const { part } of createClient(ReleaseService, transport).diffRelease(input, { signal, timeoutMs: unlimited })) {
    if (part.case === "summary") summary = part.value;
    if (part.case === "changes") operators.push(...part.value.changes.filter(({ subject }) => subject === ReleaseSubject.OPERATOR));
    if (summary !== undefined && BigInt(operators.length) >= summary.operatorsChanged) break;
  }
  return summary === undefined ? undefined : { summary, operators: operatorCounts(summary, operators) };
}
