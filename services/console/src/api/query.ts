import { type Query, QueryClient } from "@tanstack/react-query";
import { describe, passing } from "./errors";

/** A table of which more pages were read is not read again by itself: that would be as many calls, one after the other. */
const mostPages = 5;

/** Whether reading the query again is cheap. */
export function small({ state }: Pick<Query, "state">): boolean {
  const { data } = state;
  return !(typeof data === "object" && data !== null && "pages" in data && Array.isArray(data.pages)) || data.pages.length <= mostPages;
}

/** Reads are tried three times when trying may help; a refusal is told at once. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        refetchOnWindowFocus: small,
        refetchOnReconnect: small,
        refetchOnMount: small,
        retry: (failures, error) => failures < 2 && passing(error),
        retryDelay: (failures, error) => Math.max((describe(error).retryAfterSeconds ?? 0) * 1_000, Math.min(1_000 * 2 ** failures, 8_000)),
        // The console is used on hosts without any network but the gateway's: a browser's opinion does not count.
        networkMode: "always",
      },
      mutations: { networkMode: "always", retry: false },
    },
  });
}
