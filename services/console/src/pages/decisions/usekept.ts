import type { UseQueryResult } from "@tanstack/react-query";
import { useRef } from "react";
import { describe, type Problem } from "../../api/errors";
import { useFormer } from "./useformer";

/** The last answer to a question. */
export interface Kept<T, A> {
  /** undefined while there was none. */
  readonly data: T | undefined;
  /** What was asked for when it was answered. */
  readonly asked: A;
  /** When it was answered. */
  readonly at: Date | undefined;
  /** Why there is nothing newer; it stays until there is. */
  readonly problem: Problem | undefined;
  readonly retry: () => void;
}

interface Answered<T, A> {
  readonly data: T;
  readonly asked: A;
  readonly at: number;
}

interface Memory<T, A> {
  readonly question: string;
  readonly answer?: Answered<T, A>;
  readonly problem?: Problem;
}

/**
 * Keeps the last answer to a question while newer ones fail, although each look at a moving window is another query; asked tells them
 * apart. Who comes back to the page finds it again. Answers to other questions are shown while the first is on its way, as the query gives them, and never once it failed.
 */
export function useKept<T, A>(query: UseQueryResult<T, Error>, question: string, asked: A): Kept<T, A> {
  const memory = useRef<Memory<T, A>>({ question });
  if (memory.current.question !== question) memory.current = { question };
  const { data, error, isPlaceholderData, dataUpdatedAt: at } = query;
  const problem = error === null ? {} : { problem: describe(error) };
  if (data !== undefined && !isPlaceholderData) {
    const former = memory.current.answer;
    memory.current = { question, answer: former?.at === at ? former : { data, asked, at }, ...problem };
  } else if (error !== null) {
    memory.current = { ...memory.current, ...problem };
  }
  const { problem: told } = memory.current;
  const answer = useFormer<Answered<T, A>>(question, memory.current.answer);
  return {
    data: answer?.data ?? (told === undefined ? data : undefined),
    asked: answer?.asked ?? asked,
    at: answer === undefined ? undefined : new Date(answer.at),
    problem: told,
    retry: () => void query.refetch(),
  };
}
