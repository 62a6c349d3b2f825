import { useEffect } from "react";

/** Dialogs give the focus back to what opened them 10 ms after they close: that comes first. In milliseconds. */
const pause = 50;

/**
 * Keeps the focus where people who use the keyboard can go on. Browsers drop it when what has it goes away, as a button does whose work
 * is done, or is disabled while it works. Then the button gets it back, or else the title of the page.
 */
export function useKeptFocus(): void {
  useEffect(() => {
    let last: HTMLElement | undefined;
    let disabled = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const remember = ({ target }: FocusEvent) => {
      last = target instanceof HTMLElement ? target : undefined;
      disabled = false;
    };
    const settle = () => {
      timer = undefined;
      if (last === undefined || document.activeElement !== document.body) return;
      if (!last.isConnected) document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true });
      else if (disabled && !last.matches(":disabled")) last.focus({ preventScroll: true });
    };
    const look = () => {
      if (last === undefined) return;
      if (last.isConnected && last.matches(":disabled")) disabled = true;
      else if (!last.isConnected || disabled) timer ??= setTimeout(settle, pause);
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { childList: true, subtree: true, attributeFilter: ["disabled"] });
    document.addEventListener("focusin", remember);
    return () => {
      observer.disconnect();
      clearTimeout(timer);
      document.removeEventListener("focusin", remember);
    };
  }, []);
}
