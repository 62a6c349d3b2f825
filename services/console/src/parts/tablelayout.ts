import type { Column, RowData, Table } from "@tanstack/react-table";
import { type CSSProperties, type RefObject, useLayoutEffect, useState } from "react";
import type { DataTableProps } from "./table";

interface Layout<T> {
  readonly narrow: boolean;
  readonly rowHeight: number;
  /** grid-template-columns of every row. */
  readonly template: string;
  /** Least width of a row in pixels; below it the box scrolls sideways. */
  readonly least: number;
  readonly box: CSSProperties;
  readonly shows: (column: Column<T>) => boolean;
}

/** At this width of the table and less a row has two lines. */
const narrowWidth = 600;
const headHeight = 40;
const pickWidth = 44;

export function useLayout<T extends RowData>(
  box: RefObject<HTMLDivElement | null>,
  { height = "fill", onSelect }: DataTableProps<T>,
  table: Table<T>,
  count: number,
): Layout<T> {
  const [size, setSize] = useState({ width: 0, top: 0 });
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = (): void => {
      const width = element.clientWidth;
      const top = Math.round(element.getBoundingClientRect().top + window.scrollY);
      setSize((former) => (former.width === width && former.top === top ? former : { width, top }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    // Filters above the table may wrap into a second line.
    if (element.parentElement?.parentElement) observer.observe(element.parentElement.parentElement);
    addEventListener("resize", measure);
    return () => {
      observer.disconnect();
      removeEventListener("resize", measure);
    };
  }, [box]);

  const all = table.getVisibleLeafColumns();
  // A width of 0 is one that is not known yet.
  const narrow = size.width > 0 && size.width <= narrowWidth && all.some((column) => column.columnDef.meta?.narrow === true);
  const shows = (column: Column<T>): boolean => !narrow || column.columnDef.meta?.narrow === true;
  const shown = all.filter(shows);
  const rowHeight = narrow ? 64 : 40;
  const least = shown.reduce((sum, column) => sum + column.getSize(), onSelect === undefined ? 0 : pickWidth);
  const tracks = shown.map((column) => {
    const grow = column.columnDef.meta?.grow ?? 1;
    const width = narrow ? "0px" : `${String(column.getSize())}px`;
    return grow === 0 ? `${String(column.getSize())}px` : `minmax(${width}, ${String(grow)}fr)`;
  });
  return {
    narrow,
    rowHeight,
    template: [...(onSelect === undefined ? [] : [`${String(pickWidth)}px`]), ...tracks].join(" "),
    least: narrow ? 0 : least,
    box: boxStyle(height, size.top, rowHeight, count),
    shows,
  };
}

function boxStyle(height: "fill" | "fit" | number, top: number, rowHeight: number, count: number): CSSProperties {
  if (height === "fill") return { height: `calc(100dvh - ${String(top)}px - 24px)`, minHeight: 360 };
  if (typeof height === "number") return { height };
  // 18 px more for a bar that scrolls sideways. Without rows there is room for the empty state.
  return { height: headHeight + (count === 0 ? 5 : Math.min(count, 12)) * rowHeight + 18 };
}
