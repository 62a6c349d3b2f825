import { type PointerEvent, useCallback, useEffect, useRef, useState } from "react";

interface Drag {
  /** Key of the row that is being dragged; "" when none is. */
  readonly dragged: string;
  readonly start: (key: string, event: PointerEvent) => void;
}

/**
 * Takes rows to other places by mouse, pen or finger. Rows carry data-row with their key and are children of one element; move is told the key
 * and the place as soon as the pointer is over another row.
 */
export function useRowDrag(move: (key: string, to: number) => void): Drag {
  const [dragged, setDragged] = useState("");
  const stop = useRef<(() => void) | undefined>(undefined);
  const now = useRef(move);
  now.current = move;
  useEffect(() => () => stop.current?.(), []);

  const start = useCallback((key: string, event: PointerEvent) => {
    const list = event.currentTarget.closest("[data-rows]");
    if (list === null || event.button !== 0) return;
    event.preventDefault();
    const drag = (at: globalThis.PointerEvent): void => {
      const rows = [...list.querySelectorAll<HTMLElement>("[data-row]")];
      const to = rows.findIndex((row) => {
        const { top, bottom } = row.getBoundingClientRect();
        return at.clientY >= top && at.clientY < bottom;
      });
      if (to >= 0 && rows[to]?.dataset["row"] !== key) now.current(key, to);
    };
    const end = (): void => {
      removeEventListener("pointermove", drag);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      stop.current = undefined;
      setDragged("");
    };
    addEventListener("pointermove", drag);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
    stop.current = end;
    setDragged(key);
  }, []);
  return { dragged, start };
}
