import { createRow, getCoreRowModel, type Row, type RowData, type SortingState, type Table, useReactTable } from "@tanstack/react-table";
import { useMemo } from "react";
import type { DataTableProps } from "./table";

interface Rows<T extends RowData> {
  readonly table: Table<T>;
  /** In their order. */
  readonly items: readonly T[];
  /** The row of an item; made when it is shown. */
  readonly rowOf: (item: T, index: number) => Row<T>;
}

const nothing: readonly never[] = [];

/**
 * The items in their order, and their rows. Rows are made for what is shown only: a table model of 100,000 rows, made anew with every page
 * that comes, would stop the scrolling each time. Only what is all here can be sorted: a page of the server is no whole.
 */
export function useRows<T extends RowData>({ columns, data, id, sort }: DataTableProps<T>): Rows<T> {
  const sortable = sort !== undefined && !data.more;
  const text = sort?.[0] ?? "";
  const sorting = useMemo<SortingState>(
    () => (text === "" || !sortable ? [] : [{ id: text.replace(/^-/, ""), desc: text.startsWith("-") }]),
    [text, sortable],
  );
  const table = useReactTable<T>({
    data: nothing as unknown as T[],
    columns,
    getCoreRowModel: getCoreRowModel(),
    enableSorting: sortable,
    enableMultiSort: false,
    sortDescFirst: false,
    state: { sorting },
    onSortingChange: (change) => {
      const next = (typeof change === "function" ? change(sorting) : change)[0];
      sort?.[1](next === undefined ? "" : `${next.desc ? "-" : ""}${next.id}`);
    },
  });
  const by = sorting[0];
  const items = useMemo(() => {
    const value = by === undefined ? undefined : table.getColumn(by.id)?.accessorFn;
    if (by === undefined || value === undefined) return data.rows;
    const keyed = data.rows.map((item, index) => ({ item, key: value(item, index) }));
    return keyed.sort((a, b) => compare(a.key, b.key) * (by.desc ? -1 : 1)).map(({ item }) => item);
  }, [data.rows, by, table]);
  // Cells remember what they were made of, so that other columns need other rows.
  const made = useMemo(() => new Map<string, Row<T>>(), [columns, items]);
  const rowOf = (item: T, index: number): Row<T> => {
    const key = id(item);
    const row = made.get(key) ?? createRow(table, key, item, index, 0);
    made.set(key, row);
    return row;
  };
  return { table, items, rowOf };
}

const words = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** Numbers and bigints by size, text by the reader's language; what is absent comes first. */
function compare(a: unknown, b: unknown): number {
  if (isNumber(a) && isNumber(b)) return a < b ? -1 : a > b ? 1 : 0;
  return words.compare(textOf(a), textOf(b));
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function textOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  return value === undefined || value === null ? "" : String(value as string | number | bigint | boolean);
}
