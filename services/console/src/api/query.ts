import { QueryClient } from "@tanstack/react-query";
import { passing } from "./errors";

/** Reads are tried three times when trying may help; a refusal is told at once. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (failures, error) => failures < 2 && passing(error),
        retryDelay: (failures) => Math.min(1_000 * 2 ** failures, 8_000),
        // The console is used on hosts without any network but the gateway's: a browser's opinion does not count.
        networkMode: "always",
      },
      mutations: { networkMode: "always", retry: false },
    },
  });
}
