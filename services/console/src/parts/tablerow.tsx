import { Checkbox } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconArrowsSort } from "@tabler/icons-react";
import { type Cell, flexRender, type Header, type Row, type RowData } from "@tanstack/react-table";
import { type CSSProperties, memo, type MouseEvent, type ReactNode } from "react";
import type { DataTableProps } from "./table";
import classes from "./table.module.css";

const directions = { asc: "ascending", desc: "descending" } as const;

export function HeadCell<T extends RowData>({ header }: { readonly header: Header<T, unknown> }): ReactNode {
  const { column } = header;
  const sorted = column.getIsSorted();
  const Icon = sorted === false ? IconArrowsSort : sorted === "asc" ? IconArrowUp : IconArrowDown;
  const content = flexRender(column.columnDef.header, header.getContext());
  return (
    <div
      role="columnheader"
      className={classes.headCell}
      data-align={column.columnDef.meta?.align}
      aria-label={column.columnDef.meta?.label}
      aria-sort={column.getCanSort() ? (sorted === false ? "none" : directions[sorted]) : undefined}
    >
      {column.getCanSort() ? (
        <button type="button" className={classes.sort} onClick={() => column.toggleSorting()} data-sorted={sorted !== false || undefined}>
          {content}
          <Icon size={14} aria-hidden />
        </button>
      ) : (
        content
      )}
    </div>
  );
}

/** What all rows of a table share. It is made anew when the page renders the table, and not when the table scrolls. */
export interface RowContext<T extends RowData> {
  readonly props: DataTableProps<T>;
  readonly widths: CSSProperties;
  readonly narrow: boolean;
  readonly height: number;
  /** The whole path of a link within the router's base. */
  readonly path: (href: string) => string;
  readonly go: (href: string) => void;
  readonly onFocus: (index: number) => void;
  readonly onToggle: ((id: string) => void) | undefined;
}

interface RowViewProps<T extends RowData> {
  readonly context: RowContext<T>;
  readonly row: Row<T>;
  readonly index: number;
  readonly top: number;
  readonly active: boolean;
  readonly current: boolean;
}

function RowOf<T extends RowData>({ context, row, index, top, active, current }: RowViewProps<T>): ReactNode {
  const { props, narrow, widths, height, onToggle } = context;
  const { onOpen, selected } = props;
  const item = row.original;
  const cells = row.getVisibleCells();
  const first = narrow ? cells.filter((cell) => cell.column.columnDef.meta?.narrow === true) : cells;
  const rest = narrow ? cells.filter((cell) => cell.column.columnDef.meta?.narrow !== true) : [];
  const click = (event: MouseEvent<HTMLElement>): void => {
    // Links and buttons in a row do what they say; text that is being marked is not a click.
    if (event.target instanceof Element && event.target.closest("a, button, input, label") !== null) return;
    if (getSelection()?.isCollapsed === false) return;
    onOpen?.(item);
  };
  const picked = selected?.has(row.id) === true;
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={onToggle === undefined ? undefined : picked}
      aria-current={current || undefined}
      tabIndex={active ? 0 : -1}
      data-index={index}
      data-open={onOpen !== undefined || undefined}
      className={classes.row}
      style={{ ...widths, height, transform: `translateY(${String(top)}px)` }}
      onClick={click}
      onFocus={() => context.onFocus(index)}
    >
      {onToggle !== undefined && (
        <div role="gridcell" className={classes.pick}>
          <Checkbox size="xs" tabIndex={-1} aria-label={`Select ${props.name?.(item) ?? row.id}`} checked={picked} onChange={() => onToggle(row.id)} />
        </div>
      )}
      {first.map((cell, place) => (
        <CellView key={cell.id} cell={cell} context={place === 0 && props.href !== undefined ? context : undefined} />
      ))}
      {narrow && (
        <div role="gridcell" className={classes.second}>
          {props.second?.(item) ?? rest.map((cell) => <RestView key={cell.id} cell={cell} />)}
        </div>
      )}
    </div>
  );
}

/** Rows that stay in the window while it moves are not made again: scrolling has one frame for the new ones. */
export const RowView = memo(RowOf) as typeof RowOf;

interface CellViewProps<T extends RowData> {
  readonly cell: Cell<T, unknown>;
  /** Given for the cell that is a link. */
  readonly context: RowContext<T> | undefined;
}

function CellView<T extends RowData>({ cell, context }: CellViewProps<T>): ReactNode {
  const { meta, cell: view } = cell.column.columnDef;
  const content = flexRender(view, cell.getContext());
  const href = context?.props.href?.(cell.row.original);
  return (
    <div role="gridcell" className={classes.cell} data-align={meta?.align} data-mono={meta?.mono}>
      {context === undefined || href === undefined ? (
        content
      ) : (
        // A Link of the router listens to the address by itself: four listeners a row, made anew for each that scrolls in.
        <a href={context.path(href)} tabIndex={-1} className={classes.link} onClick={(event) => follow(event, context, cell.row.original, href)}>
          {content}
        </a>
      )}
    </div>
  );
}

function follow<T extends RowData>(event: MouseEvent, { props, go }: RowContext<T>, item: T, href: string): void {
  // With a modifier key the browser opens the link elsewhere.
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) return;
  event.preventDefault();
  if (props.onOpen === undefined) go(href);
  else props.onOpen(item);
}

function RestView<T extends RowData>({ cell }: { readonly cell: Cell<T, unknown> }): ReactNode {
  return <span className={classes.restCell}>{flexRender(cell.column.columnDef.cell, cell.getContext())}</span>;
}
