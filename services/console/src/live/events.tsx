import { createClient, type Transport } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { EventService } from "@gen/operators/v1/event_service_pb";
import type { WatchEventsResponse } from "@gen/operators/v1/event_pb";
import { type Query, type QueryClient, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { small } from "../api/query";
import { useSession } from "../api/session";
import { unlimited } from "../api/transport";
import { follow, type Link } from "./follow";

/** What the stream of events is like, and a way to hear them. */
export interface Live {
  readonly link: Link;
  /** Hears every event from now on; gives the way to stop. */
  readonly listen: (hear: (event: WatchEventsResponse) => void) => () => void;
}

const nothing: Live = { link: { state: "connecting" }, listen: () => () => undefined };
export const LiveContext = createContext<Live>(nothing);

export function useLive(): Live {
  return useContext(LiveContext);
}

/** Hears events while the component is shown. hear should not change with every render. */
export function useEvents(hear: (event: WatchEventsResponse) => void): void {
  const { listen } = useLive();
  useEffect(() => listen(hear), [listen, hear]);
}

/** Without a word for this long the stream is taken for dead; the server says something every 10 s. */
const silence = 30_000;

export function LiveProvider({ children }: { children: ReactNode }): ReactNode {
  const transport = useTransport();
  const queries = useQueryClient();
  // Who comes back after a refusal does not wait for the next try.
  const { credential } = useSession();
  const [link, setLink] = useState<Link>({ state: "connecting" });
  const [hearers] = useState(() => new Set<(event: WatchEventsResponse) => void>());
  const [listen] = useState(() => (hear: (event: WatchEventsResponse) => void) => {
    hearers.add(hear);
    return () => {
      hearers.delete(hear);
    };
  });
  useEffect(() => {
    const refresh = new Refresh(queries);
    const stop = follow({
      open: (signal) => events(transport, signal),
      silence,
      hear: (event) => {
        refresh.by(event);
        for (const hear of hearers) hear(event);
      },
      connected: (event) => event.event.case !== "heartbeat" || event.event.value.connected,
      changed: setLink,
      // What was missed meanwhile is read again.
      again: () => refresh.all(),
    });
    return () => {
      stop();
      refresh.stop();
    };
  }, [transport, queries, hearers, credential]);
  return <LiveContext value={{ link, listen }}>{children}</LiveContext>;
}

function events(transport: Transport, signal: AbortSignal): AsyncIterable<WatchEventsResponse> {
  return createClient(EventService, transport).watchEvents({}, { signal, timeoutMs: unlimited });
}

/** Bursts of events read the tables again once. */
const pause = 500;

/** Tables are read again by events no more often than this, whatever happens. */
const spacing = 3_000;

/** Marks what events change as old, so that what is shown of it is read again. */
class Refresh {
  private readonly services = new Set<string>();
  /** What was last told of each operator, so that words that repeat it change nothing. */
  private readonly health = new Map<string, string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last = 0;

  constructor(private readonly queries: QueryClient) {}

  by({ event }: WatchEventsResponse): void {
    switch (event.case) {
      case "operatorHealth": {
        const { operatorId, status, quality } = event.value;
        const word = `${String(status)} ${String(quality)}`;
        const former = this.health.get(operatorId);
        this.health.set(operatorId, word);
        if (former !== undefined && former !== word) this.soon(operatorService);
        break;
      }
      case "operatorConfig":
        this.soon(operatorService, "trunkline.operators.v1.RoutingRuleService", "trunkline.operators.v1.RateService");
        break;
      case "release":
        this.soon("trunkline.releases.v1.ReleaseService");
        break;
    }
  }

  all(): void {
    this.again(() => true);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private soon(...services: string[]): void {
    for (const service of services) this.services.add(service);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const services = new Set(this.services);
      const concerned = ({ queryKey }: { readonly queryKey: readonly unknown[] }) => services.has(serviceOf(queryKey));
      // An answer on its way would be thrown away; the one after it is told what happened meanwhile.
      if (this.queries.isFetching({ predicate: concerned }) > 0) {
        this.soon();
        return;
      }
      this.services.clear();
      this.last = Date.now();
      this.again((service) => services.has(service));
    }, Math.max(pause, this.last + spacing - Date.now()));
  }

  /** Large tables are marked as old only, and read again when somebody asks for them anew. */
  private again(concerns: (service: string) => boolean): void {
    const concerned = (query: Query) => concerns(serviceOf(query.queryKey));
    void this.queries.invalidateQueries({ predicate: (query) => concerned(query) && small(query) });
    void this.queries.invalidateQueries({ predicate: (query) => concerned(query) && !small(query), refetchType: "none" });
  }
}

const operatorService = "trunkline.operators.v1.OperatorService";

/** The service of a query of connect-query, by name: its descriptors are large, and the first screen needs few of them. */
function serviceOf(queryKey: readonly unknown[]): string {
  const call = queryKey[1];
  return typeof call === "object" && call !== null && "serviceName" in call && typeof call.serviceName === "string" ? call.serviceName : "";
}
