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
}

let session: Session = { credential: read() };
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

export function signIn(text: string): void {
  set({ credential: text });
}

export function signOut(): void {
  set({ credential: "", end: "signed-out" });
}

/** The server no longer takes the credential that a call was made with. A newer one stays. */
export function refused(sent: string): void {
  if (sent === session.credential) set({ credential: "", end: "refused" });
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

export function useSession(): Session {
  return useSyncExternalStore(subscribe, () => session);
}
