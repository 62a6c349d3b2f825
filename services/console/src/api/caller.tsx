import { useQuery } from "@connectrpc/connect-query";
import { CallerService } from "@gen/access/v1/caller_service_pb";
import { Role } from "@gen/options/v1/access_pb";
import { createContext, type ReactNode, useContext } from "react";

/** Who is signed in. */
export interface Caller {
  /** As audit rows call it. */
  readonly name: string;
  readonly role: Role;
  /** The one account it sees; empty when it sees all. */
  readonly accountId: string;
  readonly expires?: Date;
}

const CallerContext = createContext<Caller | undefined>(undefined);

export const CallerProvider = CallerContext.Provider;

export function useCaller(): Caller {
  const caller = useContext(CallerContext);
  if (caller === undefined) throw new Error("useCaller outside of CallerProvider");
  return caller;
}

/** Whether the caller may do what takes the role. A higher role includes the lower ones. */
export function useMay(role: Role, unbound = false): boolean {
  return may(useCaller(), role, unbound);
}

/** unbound: also that the caller is not bound to one account. */
export function may(caller: Caller, role: Role, unbound = false): boolean {
  return caller.role >= role && !(unbound && caller.accountId !== "");
}

/** Shows its children to who may. */
export function Allowed({ role, unbound = false, children }: { role: Role; unbound?: boolean; children: ReactNode }): ReactNode {
  return useMay(role, unbound) ? children : null;
}

/** Asks the server who is signed in. */
export function useWhoAmI() {
  return useQuery(CallerService.method.getCaller, {}, { staleTime: 60_000 });
}

export { Role };
