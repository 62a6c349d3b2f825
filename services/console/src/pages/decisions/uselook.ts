import type { MessageInitShape } from "@bufbuild/protobuf";
import { useQuery } from "@connectrpc/connect-query";
import type { DecisionFilterSchema, SummarizeDecisionsResponse } from "@gen/routing/v1/decision_pb";
import { DecisionGroup } from "@gen/routing/v1/decision_pb";
import { DecisionService } from "@gen/routing/v1/decision_service_pb";
import { useDocumentVisibility } from "@mantine/hooks";
import { keepPreviousData } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import type { Filter } from "./filters";
import { type Kept, useKept } from "./usekept";
import { momentOf, rangeOf, type Window, windowBetween, windowOf } from "./window";

/** Milliseconds between two looks. */
export const pace = 10_000;

export interface Look {
  readonly window: Window;
  /** Whether what is shown ends now, so that looking again makes sense. */
  readonly endsNow: boolean;
  readonly paused: boolean;
  readonly setPaused: (paused: boolean) => void;
  /** Milliseconds until the next look; false for none. */
  readonly every: number | false;
}

/** The time that is looked at; it moves on while it ends now, the page is visible and nobody paused it. */
export function useLook({ range, from, to }: Filter): Look {
  const [paused, setPaused] = useState(false);
  const [tick, setTick] = useState(() => Date.now());
  const visible = useDocumentVisibility() === "visible";
  const endsNow = to === "";
  const moving = endsNow && !paused && visible;
  useEffect(() => {
    if (!moving) return;
    setTick(Date.now());
    const timer = setInterval(() => setTick(Date.now()), pace);
    return () => clearInterval(timer);
  }, [moving]);
  const window = useMemo(() => {
    const now = Math.ceil(tick / 1000);
    return from === "" ? windowOf(rangeOf(range), now) : windowBetween(from, to, now);
  }, [tick, range, from, to]);
  return { window, endsNow, paused, setPaused, every: moving ? pace : false };
}

type FilterInit = MessageInitShape<typeof DecisionFilterSchema>;

/** What the server is asked for. from_time is passed apart, because lists and sums may begin at different moments. */
export function filterOf({ account, operator, prefix, failed }: Filter, from: number, to: number | undefined): FilterInit {
  return {
    fromTime: momentOf(from),
    ...(to === undefined ? {} : { toTime: momentOf(to) }),
    accountId: account,
    operatorId: operator,
    prefix: /^(\+[1-9]\d{0,6})?$/.test(prefix) ? prefix : "",
    failed: failed === "1",
  };
}

/** With the window that they are of: a newer one may not be answered. */
export type Sums = Kept<SummarizeDecisionsResponse, Window>;

/** What totals and plots show. */
export interface Figures {
  readonly all: Sums;
  readonly byOperator: Sums;
  readonly byReason: Sums;
}

/** Sums by interval; those of the plots only while they are shown. */
export function useFigures(filter: Filter, look: Look, plotted: boolean): Figures {
  return {
    all: useSums(filter, look, DecisionGroup.UNSPECIFIED, true),
    byOperator: useSums(filter, look, DecisionGroup.OPERATOR, plotted),
    byReason: useSums(filter, look, DecisionGroup.FAILURE, plotted),
  };
}

function useSums(filter: Filter, { window, every }: Look, group: DecisionGroup, wanted: boolean): Sums {
  const query = useQuery(
    DecisionService.method.summarizeDecisions,
    { filter: filterOf(filter, window.from, window.to), step: { seconds: BigInt(window.step) }, group },
    { placeholderData: keepPreviousData, refetchInterval: every, enabled: wanted && window.complaint === undefined },
  );
  return useKept(query, JSON.stringify([group, filter]), window);
}
