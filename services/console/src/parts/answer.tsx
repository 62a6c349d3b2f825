import { Code } from "@connectrpc/connect";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { describe } from "../api/errors";
import { freshnessOf } from "./freshness";
import { Failed, Forbidden, Loading, Stale } from "./states";

interface AnswerProps<T> {
  readonly query: UseQueryResult<T, Error>;
  /** Of the skeleton, in pixels. */
  readonly height?: number;
  /** Who may see this, such as "an admin", for the forbidden state. */
  readonly needs?: string;
  /** What to show instead of the children when the data holds nothing; undefined when it holds something. */
  readonly empty?: (data: T) => ReactNode | undefined;
  readonly children: (data: T) => ReactNode;
}

/** Renders a query by its state. Data that is there stays there: a failed refetch puts a banner above it. */
export function Answer<T>({ query, height, needs, empty, children }: AnswerProps<T>): ReactNode {
  const retry = (): void => void query.refetch();
  if (query.data === undefined) {
    if (query.error === null) return <Loading {...(height === undefined ? {} : { height })} />;
    const problem = describe(query.error);
    if (problem.code === Code.PermissionDenied) return <Forbidden needs={needs} problem={problem} />;
    return <Failed problem={problem} onRetry={retry} />;
  }
  const freshness = freshnessOf(query.data);
  const banner =
    query.error !== null ? (
      <Stale since={new Date(query.dataUpdatedAt)} problem={describe(query.error)} onRetry={retry} />
    ) : freshness?.stale === true ? (
      <Stale age={freshness.age} />
    ) : null;
  return (
    <>
      {banner}
      {empty?.(query.data) ?? children(query.data)}
    </>
  );
}
