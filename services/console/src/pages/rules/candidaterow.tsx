import { ActionIcon, TextInput } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconGripVertical, IconTrash } from "@tabler/icons-react";
import type { PointerEvent, ReactNode } from "react";
import { percentText } from "../../parts/figures";
import { OperatorSelect } from "../../parts/select";
import { type CandidateValues, share } from "./candidates";
import { SeenOperatorSelect } from "./seenoperators";
import type { Weighing } from "./strategies";
import classes from "./rules.module.css";

export type Direction = "up" | "down";

interface CandidateRowProps {
  readonly row: CandidateValues;
  readonly index: number;
  readonly rows: readonly CandidateValues[];
  readonly columns: Weighing;
  readonly errors: Readonly<Record<string, string>>;
  /** Names of the operators that are offered; undefined offers all. */
  readonly seen: ReadonlyMap<string, string> | undefined;
  readonly dragged: boolean;
  readonly onDrag: (event: PointerEvent) => void;
  readonly onChange: (part: Partial<CandidateValues>) => void;
  /** A priority was typed. */
  readonly onSettle: () => void;
  readonly onMove: (direction: Direction) => void;
  readonly onRemove: () => void;
}

export function CandidateRow(props: CandidateRowProps): ReactNode {
  const { row, index, rows, columns, onChange, onMove } = props;
  const error = (field: keyof CandidateValues): string | undefined => props.errors[`candidates.${String(index)}.${field}`];
  const what = `candidate ${String(index + 1)}`;
  const part = columns.weight ? share(rows, index) : undefined;
  return (
    <div className={classes.candidate} data-row={row.key} data-dragged={props.dragged || undefined}>
      {columns.order && (
        <span className={classes.grip} onPointerDown={props.onDrag} title="Drag to another place" aria-hidden>
          <IconGripVertical size={18} />
        </span>
      )}
      <div className={classes.operator}>
        {props.seen === undefined ? (
          <OperatorSelect
            bare
            label={`Operator of ${what}`}
            placeholder="Choose an operator"
            value={row.operatorId}
            onChange={(operatorId) => onChange({ operatorId })}
            except={rows.filter((other) => other.key !== row.key).map((other) => other.operatorId)}
            error={error("operatorId")}
          />
        ) : (
          <SeenOperatorSelect
            label={`Operator of ${what}`}
            seen={props.seen}
            value={row.operatorId}
            onChange={(operatorId) => onChange({ operatorId })}
            except={rows.filter((other) => other.key !== row.key).map((other) => other.operatorId)}
            error={error("operatorId")}
          />
        )}
      </div>
      {columns.order && (
        <div className={classes.number} data-label="Priority">
          <TextInput
            aria-label={`Priority of ${what}`}
            inputMode="numeric"
            value={row.priority}
            onChange={(event) => onChange({ priority: event.currentTarget.value })}
            onBlur={props.onSettle}
            error={error("priority")}
          />
        </div>
      )}
      {columns.weight && (
        <div className={classes.number} data-label="Weight">
          <TextInput
            aria-label={`Weight of ${what}`}
            inputMode="numeric"
            value={row.weight}
            onChange={(event) => onChange({ weight: event.currentTarget.value })}
            error={error("weight")}
            description={part === undefined ? undefined : percentText(part)}
            inputWrapperOrder={["input", "description", "error"]}
          />
        </div>
      )}
      <div className={classes.price} data-label="Price">
        <TextInput
          className={classes.amount ?? ""}
          aria-label={`Price of ${what}`}
          inputMode="decimal"
          placeholder="by rate"
          value={row.price.amount}
          onChange={(event) => onChange({ price: { ...row.price, amount: event.currentTarget.value } })}
          error={error("price")}
        />
        <TextInput
          className={classes.currency ?? ""}
          aria-label={`Currency of ${what}`}
          value={row.price.currency}
          maxLength={3}
          onChange={(event) => onChange({ price: { ...row.price, currency: event.currentTarget.value.toUpperCase() } })}
        />
      </div>
      <div className={classes.rowActions}>
        {columns.order && (
          <>
            <ActionIcon variant="subtle" color="gray" data-move="up" aria-label={`Move ${what} up`} disabled={index === 0} onClick={() => onMove("up")}>
              <IconArrowUp size={16} aria-hidden />
            </ActionIcon>
            <ActionIcon
              variant="subtle"
              color="gray"
              data-move="down"
              aria-label={`Move ${what} down`}
              disabled={index === rows.length - 1}
              onClick={() => onMove("down")}
            >
              <IconArrowDown size={16} aria-hidden />
            </ActionIcon>
          </>
        )}
        <ActionIcon variant="subtle" color="gray" aria-label={`Remove ${what}`} onClick={props.onRemove}>
          <IconTrash size={16} aria-hidden />
        </ActionIcon>
      </div>
    </div>
  );
}
