import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { callUnaryMethod, createConnectQueryKey, useTransport } from "@connectrpc/connect-query";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import type { Freshness } from "@gen/operators/v1/freshness_pb";
import { describe, type Problem } from "../api/errors";
import { freshnessOf } from "./freshness";

/** What a table shows: the rows that are here, and what there is to know about the rest. */
export interface TableData<T> {
  readonly rows: readonly T[];
  /** "failed" only when there is nothing to show. */
  readonly state: "loading" | "failed" | "ready";
  /** Why there are no rows, or no newer ones. */
  readonly problem?: Problem | undefined;
  /** Whether the server has more rows. */
  readonly more: boolean;
  /** How many rows the server has, where something else told it. */
  readonly total?: number;
  readonly loadingMore: boolean;
  /** Why the next page did not come; loadMore tries again. */
  readonly moreProblem?: Problem | undefined;
  /** Given when the rows are older than they should be, because a refetch failed. */
  readonly staleSince?: Date | undefined;
  readonly freshness?: Freshness | undefined;
  /** Whether rows of a former question are shown while the next ones come. */
  readonly previous: boolean;
  loadMore(this: void): void;
  retry(this: void): void;
}

/** A List request or response, as far as paging goes. */
type Paged = DescMessage & { readonly typeName: string };

interface TableQueryOptions<O extends DescMessage, T> {
  /** The rows of one page. */
  readonly rows: (page: MessageShape<O>) => readonly T[];
  /** Rows a page; 200 unless told. */
  readonly pageSize?: number;
  readonly enabled?: boolean;
  /** In milliseconds. */
  readonly refetchInterval?: number;
}

/**
 * The pages of a List method with page_size and page_token. The input holds neither. Rows of a former question stay until the next
 * answer is there, so that typing into a search box does not make a table flash.
 */
export function useTableQuery<I extends Paged, O extends Paged, T>(
  method: DescMethodUnary<I, O>,
  input: MessageInitShape<I>,
  { rows, pageSize = 200, enabled = true, refetchInterval }: TableQueryOptions<O, T>,
): TableData<T> {
  const transport = useTransport();
  const query = useInfiniteQuery({
    // The page size belongs to the key: the same list may be shown twice with different ones.
    queryKey: [...createConnectQueryKey({ schema: method, input, transport, cardinality: "infinite" }), pageSize],
    queryFn: ({ pageParam, signal }) => {
      const request = create(method.input, input);
      Object.assign(request, { pageSize, pageToken: pageParam });
      return callUnaryMethod(transport, method, request as MessageInitShape<I>, { signal });
    },
    initialPageParam: "",
    getNextPageParam: (last) => nextToken(last),
    placeholderData: keepPreviousData,
    enabled,
    ...(refetchInterval === undefined ? {} : { refetchInterval }),
  });
  const { data, error, dataUpdatedAt, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage, refetch } = query;
  const all = useMemo(() => data?.pages.flatMap((page) => [...rows(page)]) ?? [], [data]);
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const retry = useCallback(() => void refetch(), [refetch]);
  const problem = error === null ? undefined : describe(error);
  return {
    rows: all,
    state: data !== undefined ? "ready" : problem !== undefined ? "failed" : "loading",
    problem: isFetchNextPageError ? undefined : problem,
    more: hasNextPage,
    loadingMore: isFetchingNextPage,
    moreProblem: isFetchNextPageError ? problem : undefined,
    staleSince: problem !== undefined && !isFetchNextPageError && data !== undefined ? new Date(dataUpdatedAt) : undefined,
    freshness: freshnessOf(data?.pages[0]),
    previous: query.isPlaceholderData,
    loadMore,
    retry,
  };
}

function nextToken(page: object): string | undefined {
  if (!("nextPageToken" in page) || typeof page.nextPageToken !== "string") return undefined;
  return page.nextPageToken === "" ? undefined : page.nextPageToken;
}

interface LocalQuery {
  readonly error: Error | null;
  readonly dataUpdatedAt: number;
  refetch(this: void): unknown;
}

const nothing: readonly never[] = [];

/** The same shape from rows that are all here; undefined while they are on their way. */
export function useLocalRows<T>(rows: readonly T[] | undefined, query?: LocalQuery): TableData<T> {
  const error = query?.error ?? null;
  const problem = error === null ? undefined : describe(error);
  return {
    rows: rows ?? nothing,
    state: rows !== undefined ? "ready" : problem !== undefined ? "failed" : "loading",
    problem,
    more: false,
    loadingMore: false,
    staleSince: rows !== undefined && query !== undefined && problem !== undefined ? new Date(query.dataUpdatedAt) : undefined,
    previous: false,
    loadMore: () => undefined,
    retry: () => void query?.refetch(),
  };
}
