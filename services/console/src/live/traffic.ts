import { createClient } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { DecisionService } from "@gen/routing/v1/decision_service_pb";
import type { TrafficPoint } from "@gen/routing/v1/decision_pb";
import { useEffect, useState } from "react";
import { useSession } from "../api/session";
import { unlimited } from "../api/transport";
import { follow, type Link } from "./follow";

/** Points kept, oldest first: a point covers 1 s, those of the past more. */
const most = 600;

/** The traffic of all engines, second by second, from some seconds of the past on. */
export function useTraffic(historySeconds = 300): { readonly points: readonly TrafficPoint[]; readonly link: Link } {
  const transport = useTransport();
  const { credential } = useSession();
  const [points, setPoints] = useState<readonly TrafficPoint[]>([]);
  const [link, setLink] = useState<Link>({ state: "connecting" });
  useEffect(() => {
    let first = true;
    return follow({
      open: (signal) => {
        first = true; // a new stream tells the past again
        return createClient(DecisionService, transport).watchTraffic(
          { history: { seconds: BigInt(historySeconds) } },
          { signal, timeoutMs: unlimited },
        );
      },
      silence: 30_000,
      changed: setLink,
      hear: (message) => {
        const fresh = first;
        first = false;
        setPoints((before) => (fresh ? message.points : [...before, ...message.points]).slice(-most));
      },
    });
  }, [transport, historySeconds, credential]);
  return { points, link };
}
