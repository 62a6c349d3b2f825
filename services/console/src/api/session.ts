import { useSyncExternalStore } from "react";

/**
 * The credential of this tab: an API key or a token. It lives in the tab's session storage, so that a reload keeps it and
 * closing the tab forgets it; other origins cannot read it, and other tabs have none of it, but for a copy when the tab is duplicated.
 */
const key = "trunkline.credential";

/** Why somebody has to sign in again. */
export type SessionEnd = "signed-out" | "refused";

interface Session {
  readonly credential: string;
  readonly end?: SessionEnd;
  /** Another number for each who signs in. Who was refused and comes back keeps it, and with it all that was typed. */
  readonly visit: number;
}

let session: Session = { credential: read(), visit: 0 };
const listeners = new Set<() => void>();

function read(): string {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return ""; // storage is forbidden: the credential lasts until the page is reloaded
  }
}

function set(next: Session): void {
  session = next;
  try {
    if (next.credential === "") sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, next.credential);
  } catch {
    // As above.
  }
  for (const tell of listeners) tell();
}

/** The credential to send, or "" for none. */
export function credential(): string {
  return session.credential;
}

/** The number of the visit: what one visitor began is not for the next to end. */
export function visit(): number {
  return session.visit;
}

/** back: the same caller as before the refusal, with a newer credential. */
export function signIn(text: string, back = false): void {
  set({ credential: text, visit: back ? session.visit : session.visit + 1 });
}

export function signOut(): void {
  set({ credential: "", end: "signed-out", visit: session.visit + 1 });
}

/** Whether the server refused the credential and nobody has signed in since. */
export function isRefused(): boolean {
  return session.end === "refused";
}

/** The server no longer takes the credential that a call was made with. A newer one stays. */
export function refused(sent: string): void {
  if (sent === session.credential) set({ credential: "", end: "refused", visit: session.visit });
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

export function useSession(): Session {
  return useSyncExternalStore(subscribe, () => session);
}
