import { timestampDate, timestampFromDate, type Timestamp } from "@bufbuild/protobuf/wkt";
import type { WatchEventsResponse } from "@gen/operators/v1/event_pb";
import { useCallback, useMemo, useState } from "react";
import { useEvents } from "../../live/events";

/** Which prices are asked for: those of this moment, of another one, or all that ever were and will be. */
export type Choice = "now" | "moment" | "all";

export function choiceOf(at: string): Choice {
  if (at === "all") return "all";
  return at === "" || Number.isNaN(Date.parse(at)) ? "now" : "moment";
}

/**
 * in_force_at for a value of ?at. "Now" is when the table was opened or something changed last, so that a table that somebody scrolls
 * through is not asked for anew all the time. The clock of the server counts where it is ahead.
 */
export function useMoment(at: string): Timestamp | undefined {
  const [now, setNow] = useState(() => new Date());
  useEvents(
    useCallback(({ event }: WatchEventsResponse) => {
      if (event.case !== "operatorConfig") return;
      const said = event.value.occurredAt === undefined ? 0 : timestampDate(event.value.occurredAt).getTime();
      setNow(new Date(Math.max(Date.now(), said)));
    }, []),
  );
  return useMemo(() => {
    switch (choiceOf(at)) {
      case "all":
        return undefined;
      case "moment":
        return timestampFromDate(new Date(at));
      case "now":
        return timestampFromDate(now);
    }
  }, [at, now]);
}
