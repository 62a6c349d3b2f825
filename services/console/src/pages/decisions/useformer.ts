import { skipToken, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

/** How long somebody may be away and still finds what was there, in milliseconds. */
const away = 3_600_000;

/**
 * The newest value of a question, also for who left the page and comes back. Each visit has a query client of its own, so nobody sees
 * what another caller saw. A value that is the same has to be the same object.
 */
export function useFormer<T extends object>(question: string, value: T | undefined): T | undefined {
  const queries = useQueryClient();
  const { data } = useQuery<T>({ queryKey: ["decisions", "former", question], queryFn: skipToken, gcTime: away, staleTime: Infinity, structuralSharing: false });
  useEffect(() => {
    if (value !== undefined) queries.setQueryData<T>(["decisions", "former", question], value);
  }, [queries, question, value]);
  return value ?? data;
}
