import { useCallback, useEffect, useMemo, useState } from "react";
// The one of "wouter" decodes once too often: a "%41" that somebody searched for would become "A".
import { navigate, useSearch } from "wouter/use-browser-location";
import { afterReturn, goBack } from "./goback";

/** close: takes back what a push did, by going back where that leads to the same. */
export type How = "push" | "replace" | "close";
export type ParamState = readonly [value: string, set: (value: string, how?: How) => void];

/** Kept with a history entry that a push made: the address of the entry below it. */
interface Over {
  readonly over: string;
}

function here(): string {
  return `${location.pathname}${location.search}${location.hash}`;
}

/** The entry below this one, as far as it is known. */
function below(): string | undefined {
  const state = history.state as Partial<Over> | null;
  return typeof state === "object" ? state?.over : undefined;
}

/**
 * Writes into the query string as it is now, not as it was when a component rendered: two parts may write in one event.
 * The path and the fragment stay.
 */
function write(change: Readonly<Record<string, string>>, how: How): void {
  if (afterReturn(() => write(change, how))) return;
  const params = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(change)) {
    if (value === "") params.delete(name);
    else params.set(name, value);
  }
  const search = params.toString();
  const next = `${location.pathname}${search === "" ? "" : `?${search}`}${location.hash}`;
  if (next === here()) return;
  if (how === "push") navigate(next, { state: { over: here() } satisfies Over });
  // To replace it would leave the same address twice, and the first Back would seem to do nothing.
  else if (how === "close" && below() === next) goBack();
  else navigate(next, { replace: true, state: history.state as unknown });
}

/** One value of the query string. The initial value is left out of it; choosing none where there is an initial one is kept as "-". */
export function useParam(name: string, initial = ""): ParamState {
  const search = useSearch();
  const value = useMemo(() => shown(new URLSearchParams(search).get(name), initial), [search, name, initial]);
  const set = useCallback((next: string, how: How = "replace") => write({ [name]: kept(next, initial) }, how), [name, initial]);
  return [value, set];
}

/** Several values, changed in one history entry. */
export function useParams<K extends string>(
  initial: Readonly<Record<K, string>>,
): readonly [Record<K, string>, (change: Partial<Record<K, string>>, how?: How) => void] {
  const search = useSearch();
  const key = JSON.stringify(initial);
  const fixed = useMemo(() => initial, [key]);
  const values = useMemo(() => {
    const params = new URLSearchParams(search);
    const found: Record<K, string> = { ...fixed };
    for (const name of Object.keys(fixed) as K[]) found[name] = shown(params.get(name), fixed[name]);
    return found;
  }, [search, fixed]);
  const set = useCallback(
    (change: Partial<Record<K, string>>, how: How = "replace") => {
      const next: Record<string, string> = {};
      for (const name of Object.keys(change) as K[]) next[name] = kept(change[name] ?? "", fixed[name]);
      write(next, how);
    },
    [fixed],
  );
  return [values, set];
}

function shown(stored: string | null, initial: string): string {
  if (stored === null) return initial;
  return stored === "-" && initial !== "" ? "" : stored;
}

function kept(value: string, initial: string): string {
  if (value === initial) return "";
  return value === "" ? "-" : value;
}

/** A list, comma separated. Its values hold no commas: ids and enum names. */
export function useListParam(name: string): readonly [readonly string[], (values: readonly string[], how?: How) => void] {
  const [text, setText] = useParam(name);
  const values = useMemo(() => (text === "" ? [] : text.split(",")), [text]);
  const set = useCallback((next: readonly string[], how?: How) => setText(next.join(","), how), [setText]);
  return [values, set];
}

const e164 = /^\+[1-9]\d{0,14}$/;

/** A number that somebody typed. It lives in the fragment, which browsers never send; "" when there is none. */
export function useHashNumber(): readonly [string, (number: string) => void] {
  const [hash, setHash] = useState(() => location.hash);
  useEffect(() => {
    const read = (): void => setHash(location.hash);
    const events = ["hashchange", "popstate", "pushState", "replaceState"];
    read();
    for (const event of events) addEventListener(event, read);
    return () => {
      for (const event of events) removeEventListener(event, read);
    };
  }, []);
  const set = useCallback((number: string) => {
    navigate(`${location.pathname}${location.search}${e164.test(number) ? `#${number}` : ""}`, { replace: true, state: history.state as unknown });
  }, []);
  // "#to=" is what links from elsewhere write before it.
  const number = decode(hash.slice(1)).replace(/^to=/, "");
  return [e164.test(number) ? number : "", set];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** A path with a query string, for deep links. Empty and undefined values are left out. */
export function withParams(path: string, params: Readonly<Record<string, string | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value !== undefined && value !== "") search.set(name, value);
  const text = search.toString();
  return text === "" ? path : `${path}?${text}`;
}
