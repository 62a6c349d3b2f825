import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { WatchEventsResponse } from "@gen/operators/v1/event_pb";
import { useCallback, useEffect, useMemo, useState } from "react";
import { useEvents } from "./events";

/** How often ages are looked at, in milliseconds. */
const tick = 5_000;

/** The time of the server: the clock of a browser may be minutes off, and then every report would look old. */
export function useServerNow(): Date {
  const [ahead, setAhead] = useState(0);
  const [now, setNow] = useState(() => Date.now());
  useEvents(
    useCallback(({ event }: WatchEventsResponse) => {
      if (event.case !== "heartbeat" || event.value.sendTime === undefined) return;
      const difference = timestampMs(event.value.sendTime) - Date.now();
      // Less than that is the way that the word took.
      setAhead(Math.abs(difference) < 2_000 ? 0 : difference);
    }, []),
  );
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), tick);
    return () => clearInterval(timer);
  }, []);
  return useMemo(() => new Date(now + ahead), [now, ahead]);
}
