import { Code, ConnectError } from "@connectrpc/connect";
import { QueryClientProvider } from "@tanstack/react-query";
import { notifications } from "@mantine/notifications";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { CallerProvider, useWhoAmI } from "../api/caller";
import { createQueryClient, small } from "../api/query";
import { isRefused, useSession } from "../api/session";
import { useSettings } from "../api/settings";
import { LiveProvider } from "../live/events";
import { Shell } from "./shell";
import { SignIn } from "./signin";
import { SignInAgain } from "./signinagain";
import { Splash } from "./splash";

/** Lets in who has a credential that the server takes. */
export function Gate(): ReactNode {
  const { auth } = useSettings();
  const { credential, end, visit } = useSession();
  // Esc is for the question who is there, not for what is open below it. Windows hear keys in the order in which they began to listen.
  useEffect(() => {
    const keep = (event: KeyboardEvent) => {
      if (event.key === "Escape" && isRefused()) event.stopImmediatePropagation();
    };
    window.addEventListener("keydown", keep, { capture: true });
    return () => {
      window.removeEventListener("keydown", keep, { capture: true });
    };
  }, []);
  if (auth && credential === "" && end !== "refused") return <SignIn {...(end === undefined ? {} : { end })} />;
  // What one caller may see is not for the next: each has a memory of its own.
  return <SignedIn key={visit} />;
}

function SignedIn(): ReactNode {
  const [queries] = useState(createQueryClient);
  const { credential } = useSession();
  const last = useRef(credential);
  useEffect(() => {
    if (credential === "" || credential === last.current) return;
    last.current = credential;
    // Nothing was read while nobody was signed in.
    void queries.invalidateQueries({ predicate: small });
    void queries.invalidateQueries({ predicate: (query) => !small(query), refetchType: "none" });
  }, [credential, queries]);
  // What this caller was told, and could undo, is not for the next.
  useEffect(() => () => notifications.clean(), []);
  return (
    <QueryClientProvider client={queries}>
      <Known />
    </QueryClientProvider>
  );
}

function Known(): ReactNode {
  const who = useWhoAmI();
  const { end } = useSession();
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
        <SignInAgain opened={end === "refused"} />
      </CallerProvider>
    );
  }
  if (end === "refused") return <SignIn end={end} />;
  if (who.error !== null && ConnectError.from(who.error).code !== Code.Unauthenticated) {
    return <Splash onRetry={() => void who.refetch()} />;
  }
  return <Splash />;
}
