import { Button, VisuallyHidden } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { added, type CandidateValues, moved, sorted } from "./candidates";
import { CandidateRow, type Direction } from "./candidaterow";
import { useRowDrag } from "./drag";
import type { RuleForm } from "./ruleformstate";
import { useSeenOperators } from "./seenoperators";
import { strategyOf, weighing } from "./strategies";
import classes from "./rules.module.css";

interface CandidateTableProps {
  readonly form: RuleForm;
  /** Whether the caller may list operators; otherwise it is offered those of the rules that it sees. */
  readonly unbound: boolean;
  /** Names of operators that the rule had when it was opened. */
  readonly names: ReadonlyMap<string, string>;
}

/** Who may carry the messages: one row an operator, in order where the strategy goes by it. */
export function CandidateTable({ form, unbound, names }: CandidateTableProps): ReactNode {
  const { values, errors, change } = form;
  const rows = values.candidates;
  const columns = weighing(strategyOf(values.strategy));
  const seen = useSeenOperators(!unbound, names);
  const [said, setSaid] = useState("");
  const list = useRef<HTMLDivElement>(null);
  // A row that changes its place takes the focus of its buttons along.
  const focus = useRef<{ readonly key: string; readonly direction: Direction } | undefined>(undefined);
  useLayoutEffect(() => {
    if (focus.current === undefined) return;
    const { key, direction } = focus.current;
    focus.current = undefined;
    const row = list.current?.querySelector(`[data-row="${CSS.escape(key)}"]`);
    const other = direction === "up" ? "down" : "up";
    const button =
      row?.querySelector<HTMLElement>(`[data-move=${direction}]:not(:disabled)`) ?? row?.querySelector<HTMLElement>(`[data-move=${other}]`);
    button?.focus();
  });

  const put = (candidates: readonly CandidateValues[]): void => change({ candidates });
  const update = (index: number, part: Partial<CandidateValues>): void =>
    put(rows.map((row, at) => (at === index ? { ...row, ...part } : row)));
  const move = (index: number, to: number): void => {
    const next = moved(rows, index, to);
    put(next);
    setSaid(`Now at place ${String(to + 1)} of ${String(rows.length)}.`);
  };
  const drag = useRowDrag((key, to) => {
    const index = rows.findIndex((row) => row.key === key);
    if (index >= 0) move(index, to);
  });

  return (
    <div role="group" aria-label="Candidates" className={classes.candidates} data-order={columns.order || undefined} data-weight={columns.weight || undefined}>
      {rows.length > 0 && (
        <div className={classes.candidateHead} aria-hidden>
          {columns.order && <span />}
          <span>Operator</span>
          {columns.order && <span>Priority</span>}
          {columns.weight && <span>Weight</span>}
          <span>Price that replaces the rate</span>
          <span />
        </div>
      )}
      <div ref={list} data-rows className={classes.candidateRows}>
        {rows.map((row, index) => (
          <CandidateRow
            key={row.key}
            row={row}
            index={index}
            rows={rows}
            columns={columns}
            errors={errors}
            seen={unbound ? undefined : seen}
            dragged={drag.dragged === row.key}
            onDrag={(event) => drag.start(row.key, event)}
            onChange={(part) => update(index, part)}
            onSettle={() => put(sorted(rows))}
            onMove={(direction) => {
              focus.current = { key: row.key, direction };
              move(index, direction === "up" ? index - 1 : index + 1);
            }}
            onRemove={() => put(rows.filter((_, at) => at !== index))}
          />
        ))}
      </div>
      {errors["candidates"] !== undefined && (
        <p role="alert" className={classes.error}>
          {errors["candidates"]}
        </p>
      )}
      <Button
        variant="default"
        size="compact-sm"
        leftSection={<IconPlus size={14} aria-hidden />}
        disabled={rows.length >= 100}
        onClick={() => put(added(rows, rows.at(-1)?.price.currency ?? "EUR"))}
      >
        Add operator
      </Button>
      <VisuallyHidden aria-live="polite">{said}</VisuallyHidden>
    </div>
  );
}
