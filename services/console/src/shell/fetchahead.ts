import { useEffect } from "react";
import type { PageEntry } from "../pages/pages";

/** Milliseconds for the page that somebody came for, before the others are loaded. */
const headStart = 5_000;

/** Loads pages and the palette when nothing else is to do: they open at once then, also when the server is gone by that time. */
export function useFetchAhead(pages: readonly PageEntry[], palette: () => Promise<unknown>): void {
  useEffect(() => {
    let here = true;
    const timer = setTimeout(() => {
      void (async () => {
        for (const load of [palette, ...pages.map((page) => page.load)]) {
          await idle();
          if (!here) return;
          await load();
        }
      })().catch(() => undefined); // whoever opens one is told
    }, headStart);
    return () => {
      here = false;
      clearTimeout(timer);
    };
  }, [pages, palette]);
}

function idle(): Promise<void> {
  return new Promise((resolve) => {
    // Not every browser has it.
    if (typeof requestIdleCallback === "function") requestIdleCallback(() => { resolve(); });
    else setTimeout(resolve, 50);
  });
}
