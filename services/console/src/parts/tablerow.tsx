import { Checkbox } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconArrowsSort } from "@tabler/icons-react";
import { type Cell, flexRender, type Header, type Row, type RowData } from "@tanstack/react-table";
import type { CSSProperties, MouseEvent, ReactNode } from "react";
import { Link } from "wouter";
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

interface RowViewProps<T extends RowData> {
  readonly row: Row<T>;
  readonly index: number;
  readonly top: number;
  readonly height: number;
  readonly widths: CSSProperties;
  readonly narrow: boolean;
  readonly active: boolean;
  readonly current: boolean;
  readonly picked: boolean | undefined;
  readonly name: string;
  readonly href: string | undefined;
  readonly onOpen: (() => void) | undefined;
  readonly onFocus: () => void;
  readonly onToggle: (() => void) | undefined;
  readonly second: ((row: T) => ReactNode) | undefined;
}

export function RowView<T extends RowData>(props: RowViewProps<T>): ReactNode {
  const { row, index, narrow, href, onOpen, onToggle } = props;
  const cells = row.getVisibleCells();
  const first = narrow ? cells.filter((cell) => cell.column.columnDef.meta?.narrow === true) : cells;
  const rest = narrow ? cells.filter((cell) => cell.column.columnDef.meta?.narrow !== true) : [];
  const click = (event: MouseEvent<HTMLElement>): void => {
    // Links and buttons in a row do what they say; text that is being marked is not a click.
    if (event.target instanceof Element && event.target.closest("a, button, input, label") !== null) return;
    if (getSelection()?.isCollapsed === false) return;
    onOpen?.();
  };
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={onToggle === undefined ? undefined : props.picked === true}
      aria-current={props.current || undefined}
      tabIndex={props.active ? 0 : -1}
      data-index={index}
      data-open={onOpen !== undefined || undefined}
      className={classes.row}
      style={{ ...props.widths, height: props.height, transform: `translateY(${String(props.top)}px)` }}
      onClick={click}
      onFocus={props.onFocus}
    >
      {onToggle !== undefined && (
        <div role="gridcell" className={classes.pick}>
          <Checkbox size="xs" tabIndex={-1} aria-label={`Select ${props.name}`} checked={props.picked === true} onChange={onToggle} />
        </div>
      )}
      {first.map((cell, place) => (
        <CellView key={cell.id} cell={cell} href={place === 0 ? href : undefined} onOpen={onOpen} />
      ))}
      {narrow && (
        <div role="gridcell" className={classes.second}>
          {props.second?.(row.original) ?? rest.map((cell) => <RestView key={cell.id} cell={cell} />)}
        </div>
      )}
    </div>
  );
}

interface CellViewProps<T extends RowData> {
  readonly cell: Cell<T, unknown>;
  readonly href: string | undefined;
  readonly onOpen: (() => void) | undefined;
}

function CellView<T extends RowData>({ cell, href, onOpen }: CellViewProps<T>): ReactNode {
  const { meta, cell: view } = cell.column.columnDef;
  const content = flexRender(view, cell.getContext());
  const follow = (event: MouseEvent): void => {
    // With a modifier key the browser opens the link elsewhere.
    if (onOpen === undefined || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    onOpen();
  };
  return (
    <div role="gridcell" className={classes.cell} data-align={meta?.align} data-mono={meta?.mono}>
      {href === undefined ? (
        content
      ) : (
        <Link href={href} tabIndex={-1} className={classes.link} onClick={follow}>
          {content}
        </Link>
      )}
    </div>
  );
}

function RestView<T extends RowData>({ cell }: { readonly cell: Cell<T, unknown> }): ReactNode {
  return <span className={classes.restCell}>{flexRender(cell.column.columnDef.cell, cell.getContext())}</span>;
}
