import { Code } from "@connectrpc/connect";
import { Button, Checkbox, Skeleton } from "@mantine/core";
import { createColumnHelper, type RowData, type TableOptions } from "@tanstack/react-table";
import { type ReactNode, useEffect, useMemo, useRef } from "react";
import { useLocation, useRouter } from "wouter";
import { counted, countText } from "./figures";
import type { ParamState } from "./params";
import { Failed, Empty, Forbidden, Stale } from "./states";
import classes from "./table.module.css";
import { HeadCell, type RowContext, RowView } from "./tablerow";
import type { TableData } from "./tablequery";
import { useRovingRows } from "./tablekeys";
import { useLayout } from "./tablelayout";
import { useRows } from "./tablerows";

declare module "@tanstack/react-table" {
  // The parameters have to be those of the library.
  interface ColumnMeta<TData extends RowData, TValue> {
    /** Share of the width that is left over; 1 unless told, 0 keeps the least width. */
    readonly grow?: number;
    readonly align?: "end";
    /** Stays in the first line at 600 px and less. */
    readonly narrow?: true;
    readonly mono?: true;
    /** Name of the column where its header is no text. */
    readonly label?: string;
  }
}

/** Columns of a table; columnsOf<T>() makes them. */
export type Columns<T extends RowData> = TableOptions<T>["columns"];

export const columnsOf = createColumnHelper;

export interface DataTableProps<T extends RowData> {
  /** What the table is called for screen readers. */
  readonly label: string;
  readonly noun: readonly [one: string, many: string];
  readonly columns: Columns<T>;
  readonly data: TableData<T>;
  readonly id: (row: T) => string;
  /** What a row is called: the name of its check box. */
  readonly name?: (row: T) => string;
  readonly onOpen?: (row: T) => void;
  /** Deep link of a row, within the router's base; the first column becomes a link. */
  readonly href?: (row: T) => string;
  /** Id of the row whose detail is open. */
  readonly current?: string;
  readonly selected?: ReadonlySet<string>;
  readonly onSelect?: (ids: ReadonlySet<string>) => void;
  /** The second line of a row at 600 px and less. */
  readonly second?: (row: T) => ReactNode;
  /** Column id, with "-" before it for descending. For rows that are all here; server pages keep the server's order. */
  readonly sort?: ParamState;
  readonly empty?: ReactNode;
  /** Who may see this, for the forbidden state. */
  readonly needs?: string;
  /** At the right of the count. */
  readonly tools?: ReactNode;
  /** "fill": to the foot of the window; "fit": as high as up to 12 rows; or pixels. */
  readonly height?: "fill" | "fit" | number;
}

/** Rows before the end at which the next page is fetched. */
const ahead = 20;

export function DataTable<T extends RowData>(props: DataTableProps<T>): ReactNode {
  const { label, noun, data, id, selected, onSelect } = props;
  const box = useRef<HTMLDivElement>(null);
  const { table, items, rowOf } = useRows(props);
  const layout = useLayout(box, props, table, items.length);
  const { current } = props;
  const currentIndex = useMemo(
    () => (current === undefined || current === "" ? -1 : items.findIndex((item) => id(item) === current)),
    // id says the same of the same row, however often it is made anew.
    [items, current],
  );
  const keys = useRovingRows({
    box,
    count: items.length,
    rowHeight: layout.rowHeight,
    current: currentIndex,
    open: (index) => at(items, index, (item) => props.onOpen?.(item)),
    toggle: (index) => at(items, index, (item) => toggle(id(item))),
  });
  const { virtual } = keys;

  const last = virtual.getVirtualItems().at(-1)?.index ?? -1;
  const near = data.state === "ready" && data.more && last >= items.length - ahead;
  const mayLoad = near && !data.loadingMore && data.moreProblem === undefined && !data.previous;
  const { loadMore } = data;
  useEffect(() => {
    if (mayLoad) loadMore();
  }, [mayLoad, loadMore, items.length]);

  function toggle(key: string): void {
    if (selected === undefined || onSelect === undefined) return;
    const next = new Set(selected);
    if (!next.delete(key)) next.add(key);
    onSelect(next);
  }

  const all = selected !== undefined && items.length > 0 && selected.size >= items.length && items.every((item) => selected.has(id(item)));
  const some = selected !== undefined && selected.size > 0;
  const header = table.getHeaderGroups()[0]?.headers ?? [];
  const widths = useMemo(() => ({ gridTemplateColumns: layout.template, minWidth: layout.least }), [layout.template, layout.least]);
  const router = useRouter();
  const [, go] = useLocation();
  const { setActive } = keys;
  const context = useMemo<RowContext<T>>(
    () => ({
      props,
      widths,
      narrow: layout.narrow,
      height: layout.rowHeight,
      path: (href) => router.hrefs(router.base + href, router),
      go: (href) => go(href),
      onFocus: setActive,
      onToggle: props.onSelect === undefined ? undefined : toggle,
    }),
    // A page that renders its table gives new props, also when each of them is the same; toggle is of the props.
    [props, widths, layout.narrow, layout.rowHeight, router, go, setActive],
  );

  return (
    <div className={classes.frame}>
      <Banner data={data} />
      <div className={classes.bar}>
        <span role="status">{countOf(data, noun, selected?.size ?? 0)}</span>
        {props.tools !== undefined && <div className={classes.tools}>{props.tools}</div>}
      </div>
      <div
        ref={box}
        className={classes.box}
        style={layout.box}
        role="grid"
        aria-label={label}
        aria-busy={data.state === "loading" || data.previous}
        aria-rowcount={data.more ? -1 : items.length + 1}
        aria-colcount={header.length + (onSelect === undefined ? 0 : 1)}
        aria-multiselectable={onSelect === undefined ? undefined : true}
        onKeyDown={keys.onKeyDown}
      >
        <div role="rowgroup" className={classes.head} data-narrow={layout.narrow || undefined}>
          <div role="row" aria-rowindex={1} className={classes.headRow} style={widths}>
            {onSelect !== undefined && (
              <div role="columnheader" className={classes.pick}>
                <Checkbox
                  size="xs"
                  aria-label={`Select all ${noun[1]}`}
                  checked={all}
                  indeterminate={some && !all}
                  onChange={() => onSelect(all ? new Set() : new Set(items.map((item) => id(item))))}
                />
              </div>
            )}
            {header.map((one) => (layout.shows(one.column) ? <HeadCell key={one.id} header={one} /> : null))}
          </div>
        </div>
        {data.state === "ready" && items.length > 0 ? (
          <div role="rowgroup" className={classes.body} style={{ height: virtual.getTotalSize(), minWidth: layout.least }}>
            {virtual.getVirtualItems().map(({ index, start }) => {
              const item = items[index];
              if (item === undefined) return null;
              const row = rowOf(item, index);
              return (
                <RowView key={row.id} context={context} row={row} index={index} top={start} active={index === keys.active} current={index === currentIndex} />
              );
            })}
          </div>
        ) : (
          <Nothing {...props} rowHeight={layout.rowHeight} />
        )}
      </div>
      {data.moreProblem !== undefined && (
        <div className={classes.more}>
          <span>{data.moreProblem.message}</span>
          <Button size="compact-sm" variant="default" onClick={data.loadMore}>
            Try again
          </Button>
        </div>
      )}
    </div>
  );
}

function at<T>(rows: readonly T[], index: number, act: (row: T) => void): void {
  const row = rows[index];
  if (row !== undefined) act(row);
}

/** "500+ rules" while the server has more and nobody knows how many there are in all. */
function countOf<T>(data: TableData<T>, noun: readonly [one: string, many: string], selected: number): string {
  if (data.state !== "ready") return data.state === "loading" ? "Loading…" : "";
  const count = data.rows.length;
  const { more, total = 0 } = data;
  const text = !more ? counted(count, noun) : total > count ? counted(total, noun) : `${countText(count)}+ ${noun[1]}`;
  return selected === 0 ? text : `${text}, ${countText(selected)} selected`;
}

function Banner<T>({ data }: { readonly data: TableData<T> }): ReactNode {
  if (data.state !== "ready") return null;
  if (data.staleSince !== undefined) return <Stale since={data.staleSince} problem={data.problem} onRetry={data.retry} />;
  return data.freshness?.stale === true ? <Stale age={data.freshness.age} /> : null;
}

/** What stands where the rows would be. The grid has to have a row, so the state is in one. */
function Nothing<T extends RowData>({
  data,
  empty,
  needs,
  noun,
  rowHeight,
}: DataTableProps<T> & { readonly rowHeight: number }): ReactNode {
  const denied = data.problem?.code === Code.PermissionDenied;
  return (
    <div role="rowgroup">
      <div role="row">
        <div role="gridcell" className={classes.nothing}>
          {data.state === "loading" &&
            Array.from({ length: 8 }, (_, line) => (
              <div key={line} className={classes.skeleton} style={{ height: rowHeight }}>
                <Skeleton height={14} width={`${String(90 - ((line * 13) % 45))}%`} />
              </div>
            ))}
          {data.state === "failed" &&
            data.problem !== undefined &&
            (denied ? <Forbidden needs={needs} problem={data.problem} /> : <Failed problem={data.problem} onRetry={data.retry} />)}
          {data.state === "ready" && (empty ?? <Empty title={`No ${noun[1]}`} />)}
        </div>
      </div>
    </div>
  );
}
