import { useSyncExternalStore } from "react";
import { credential } from "../../api/session";

/** A number that was asked about in this tab. */
export interface Asked {
  readonly number: string;
  /** The operator that was chosen; "" for none. */
  readonly answer: string;
}

const most = 10;

interface Store {
  /** Whose numbers these are: who signs in next does not see them. */
  readonly owner: string;
  readonly asked: readonly Asked[];
}

// In memory only: numbers of subscribers are written nowhere.
let store: Store = { owner: "", asked: [] };
const listeners = new Set<() => void>();
const nothing: readonly Asked[] = [];

/** Newest first, each number once. A number that was only on the way to a longer one is replaced by it. */
export function added(asked: readonly Asked[], next: Asked): readonly Asked[] {
  const [last, ...older] = asked;
  const kept = last !== undefined && next.number.startsWith(last.number) ? older : asked;
  return [next, ...kept.filter(({ number }) => number !== next.number)].slice(0, most);
}

export function remember(next: Asked): void {
  const owner = credential();
  store = { owner, asked: added(store.owner === owner ? store.asked : nothing, next) };
  for (const tell of listeners) tell();
}

export function forget(): void {
  store = { owner: "", asked: [] };
  for (const tell of listeners) tell();
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

export function useAsked(): readonly Asked[] {
  return useSyncExternalStore(subscribe, () => (store.owner === credential() ? store.asked : nothing));
}
