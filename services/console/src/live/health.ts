import type { OperatorHealthEvent } from "@gen/events/v1/operator_health_event_pb";
import type { WatchEventsResponse } from "@gen/operators/v1/event_pb";
import { useCallback, useEffect, useRef } from "react";
import { useEvents } from "./events";

/** Words that repeat what was said wait for others this many milliseconds: 500 operators say 50 of them a second. */
const patience = 2_000;

/**
 * Hears what is said of the health of operators, some at a time: a change with the next frame, a word that repeats the last one
 * when it is convenient. hear should not change with every render.
 */
export function useHealthWords(hear: (words: readonly OperatorHealthEvent[]) => void): void {
  const waiting = useRef<OperatorHealthEvent[]>([]);
  const said = useRef(new Map<string, string>());
  const frame = useRef(0);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const flush = useCallback(() => {
    cancelAnimationFrame(frame.current);
    clearTimeout(timer.current);
    frame.current = 0;
    timer.current = undefined;
    const words = waiting.current;
    waiting.current = [];
    if (words.length > 0) hear(words);
  }, [hear]);
  useEffect(
    () => () => {
      cancelAnimationFrame(frame.current);
      clearTimeout(timer.current);
      frame.current = 0;
      timer.current = undefined;
    },
    [flush],
  );
  useEvents(
    useCallback(
      ({ event }: WatchEventsResponse) => {
        if (event.case !== "operatorHealth") return;
        const { operatorId, status, quality } = event.value;
        const word = `${String(status)} ${String(quality)}`;
        const repeated = said.current.get(operatorId) === word;
        said.current.set(operatorId, word);
        waiting.current.push(event.value);
        if (repeated) timer.current ??= setTimeout(flush, patience);
        // Browsers draw no frames of a page that nobody sees.
        else if (document.hidden) flush();
        else if (frame.current === 0) frame.current = requestAnimationFrame(flush);
      },
      [flush],
    ),
  );
}
