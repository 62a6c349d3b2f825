import { Code, ConnectError } from "@connectrpc/connect";
import { QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { CallerProvider, useWhoAmI } from "../api/caller";
import { createQueryClient } from "../api/query";
import { useSession } from "../api/session";
import { useSettings } from "../api/settings";
import { LiveProvider } from "../live/events";
import { Shell } from "./shell";
import { SignIn } from "./signin";
import { Splash } from "./splash";

/** Lets in who has a credential that the server takes. */
export function Gate(): ReactNode {
  const { auth } = useSettings();
  const { credential, end } = useSession();
  if (auth && credential === "") return <SignIn {...(end === undefined ? {} : { end })} />;
  // What one caller may see is not for the next: each has a memory of its own.
  return <SignedIn key={credential} />;
}

function SignedIn(): ReactNode {
  const [queries] = useState(createQueryClient);
  return (
    <QueryClientProvider client={queries}>
      <Known />
    </QueryClientProvider>
  );
}

function Known(): ReactNode {
  const who = useWhoAmI();
  if (who.data !== undefined) {
    const { name, role, accountId, expireTime } = who.data;
    const caller = { name, role, accountId, ...(expireTime === undefined ? {} : { expires: new Date(Number(expireTime.seconds) * 1000) }) };
    return (
      <CallerProvider value={caller}>
        {accountId === "" ? (
          <LiveProvider>
            <Shell />
          </LiveProvider>
        ) : (
          // Events are about all accounts, so who is bound to one hears none.
          <Shell />
        )}
      </CallerProvider>
    );
  }
  if (who.error !== null && ConnectError.from(who.error).code !== Code.Unauthenticated) {
    return <Splash onRetry={() => void who.refetch()} />;
  }
  return <Splash />;
}
