import { defaultRangeExtractor, type Range, useVirtualizer, type Virtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

interface RovingOptions {
  readonly box: RefObject<HTMLDivElement | null>;
  readonly count: number;
  readonly rowHeight: number;
  /** The row whose detail is open, or -1. */
  readonly current: number;
  readonly open: (index: number) => void;
  readonly toggle: (index: number) => void;
}

interface Roving {
  readonly virtual: Virtualizer<HTMLDivElement, Element>;
  /** The one row that Tab reaches. */
  readonly active: number;
  readonly setActive: (index: number) => void;
  readonly onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
}

/** The window of rendered rows, and the focus that moves over rows. */
export function useRovingRows({ box, count, rowHeight, current, open, toggle }: RovingOptions): Roving {
  const [wanted, setActive] = useState(0);
  const active = Math.max(0, Math.min(wanted, count - 1));
  const moving = useRef(false);

  // The active row is always rendered: a row that scrolls out of the window would take the focus with it.
  const rangeExtractor = useCallback(
    (range: Range) => {
      const rows = defaultRangeExtractor(range);
      if (active >= range.count || rows.includes(active)) return rows;
      return active < (rows[0] ?? 0) ? [active, ...rows] : [...rows, active];
    },
    [active],
  );
  const virtual = useVirtualizer<HTMLDivElement, Element>({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan: 4,
    scrollPaddingStart: 40,
    initialRect: { width: 800, height: 600 },
    rangeExtractor,
    // Rows are rendered with what else changes, such as the active row; at once would be too early for it.
    useFlushSync: false,
  });
  const measured = useRef(rowHeight);
  useEffect(() => {
    if (measured.current !== rowHeight) virtual.measure();
    measured.current = rowHeight;
  }, [virtual, rowHeight]);

  // A deep link opens a row far down: it is brought into view once.
  const shown = useRef(-1);
  useEffect(() => {
    if (current >= 0 && shown.current !== current) {
      setActive(current);
      virtual.scrollToIndex(current, { align: "auto" });
    }
    shown.current = current;
  }, [current, virtual]);

  useLayoutEffect(() => {
    if (!moving.current) return;
    const row = box.current?.querySelector<HTMLElement>(`[data-index="${String(active)}"]`);
    if (!row) return;
    moving.current = false;
    row.focus({ preventScroll: true });
  });

  const move = (index: number): void => {
    const next = Math.max(0, Math.min(index, count - 1));
    moving.current = true;
    setActive(next);
    virtual.scrollToIndex(next, { align: "auto" });
    // Already there: no render will come that focuses it.
    if (next === active) box.current?.querySelector<HTMLElement>(`[data-index="${String(next)}"]`)?.focus({ preventScroll: true });
  };

  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    if (!(event.target instanceof HTMLElement) || event.altKey || event.ctrlKey || event.metaKey) return;
    const row = event.target.closest<HTMLElement>("[data-index]");
    if (row === null || event.target.closest("input:not([type=checkbox]), textarea, select") !== null) return;
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 0) / rowHeight) - 2);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: count - 1,
    };
    const to = steps[event.key];
    if (to !== undefined) {
      event.preventDefault();
      move(to);
      return;
    }
    // Enter and Space on a button or link within the row are that button's.
    if (event.target !== row) return;
    if (event.key === "Enter") {
      event.preventDefault();
      open(active);
    } else if (event.key === " ") {
      event.preventDefault();
      toggle(active);
    }
  };

  return { virtual, active, setActive, onKeyDown };
}
