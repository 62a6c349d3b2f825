import type { Transport } from "@connectrpc/connect";
import { createContext, useContext } from "react";

/** Where RoutingService is: the console's own server in dev, an engine elsewhere. */
export const EngineContext = createContext<Transport | undefined>(undefined);

/** The transport for calls of RoutingService; all other services take the one of connect-query's TransportProvider. */
export function useEngine(): Transport {
  const transport = useContext(EngineContext);
  if (transport === undefined) throw new Error("useEngine outside of EngineContext");
  return transport;
}
