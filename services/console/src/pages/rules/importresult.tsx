import { Button } from "@mantine/core";
import type { BadLine, ImportResult, ImportWarning } from "@gen/operators/v1/operator_pb";
import { type ReactNode, useMemo } from "react";
import { Link } from "wouter";
import { counted, countText } from "../../parts/figures";
import { StatusBadge } from "../../parts/status";
import { columnsOf, DataTable } from "../../parts/table";
import { useLocalRows } from "../../parts/tablequery";
import classes from "./rules.module.css";

interface ImportPreviewProps {
  readonly result: ImportResult;
  /** How to go on; not shown when there is nothing to import. */
  readonly children: ReactNode;
}

/** What a file would do, or why it cannot be taken. */
export function ImportPreview({ result, children }: ImportPreviewProps): ReactNode {
  const { created, updated, unchanged, badLineCount, warningCount } = result;
  const idle = created + updated === 0n;
  return (
    <div className={classes.stack}>
      <Counts items={[["New", created], ["Replaced", updated], ["Unchanged", unchanged], ["Bad lines", badLineCount], ["Warnings", warningCount]]} />
      <p role="status" className={classes.verdict}>
        {badLineCount > 0n ? (
          <>
            <StatusBadge tone="bad">Not possible</StatusBadge> {counted(badLineCount, ["line", "lines"])} cannot be taken, so nothing of the file is stored.
            Mend them and choose the file again.
          </>
        ) : idle ? (
          <>
            <StatusBadge tone="info">Nothing to do</StatusBadge> Every rule of the file is stored like this already.
          </>
        ) : (
          <>
            <StatusBadge tone="good">Ready</StatusBadge> {counted(created, ["rule is", "rules are"])} made and {countText(updated)} replaced, all or nothing.
          </>
        )}
      </p>
      {badLineCount === 0n && !idle && <div className={classes.actions}>{children}</div>}
      {result.badLines.length > 0 && <BadLines lines={result.badLines} count={badLineCount} />}
      {result.warnings.length > 0 && <Warnings warnings={result.warnings} count={warningCount} />}
    </div>
  );
}

export function ImportDone({ result, onAnother }: { readonly result: ImportResult; readonly onAnother: () => void }): ReactNode {
  const { created, updated, unchanged, configVersion } = result;
  return (
    <div className={classes.stack}>
      <p role="status" className={classes.verdict}>
        <StatusBadge tone="good">Imported</StatusBadge> {counted(created, ["new rule", "new rules"])}, {countText(updated)} replaced, {countText(unchanged)}{" "}
        unchanged. Configuration version {String(configVersion)}.
      </p>
      <div className={classes.actions}>
        <Button component={Link} href="/rules">
          Look at the rules
        </Button>
        <Button component={Link} href="/rules/check" variant="default">
          Check all rules
        </Button>
        <Button variant="default" onClick={onAnother}>
          Import another file
        </Button>
      </div>
    </div>
  );
}

function Counts({ items }: { readonly items: readonly (readonly [label: string, value: bigint])[] }): ReactNode {
  return (
    <dl className={classes.counts}>
      {items.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{countText(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A line may be bad for several reasons: they are told apart by their place. */
type Reason = BadLine & { readonly index: number };

const badColumn = columnsOf<Reason>();
const badColumns = [
  badColumn.accessor("line", { header: "Line", size: 80, meta: { narrow: true }, cell: (cell) => countText(cell.getValue()) }),
  badColumn.accessor("column", { header: "Column", size: 130, meta: { narrow: true, mono: true }, cell: (cell) => cell.getValue() || "–" }),
  badColumn.accessor("message", { header: "What is wrong", size: 300, meta: { grow: 4 }, cell: (cell) => <Message text={cell.getValue()} /> }),
];

function BadLines({ lines, count }: { readonly lines: readonly BadLine[]; readonly count: bigint }): ReactNode {
  const rows = useMemo(() => lines.map((line, index) => ({ ...line, index })), [lines]);
  return (
    <>
      <h3 className={classes.subtitle}>Bad lines{count > BigInt(lines.length) && `, the first ${countText(lines.length)}`}</h3>
      <DataTable
        label="Bad lines"
        noun={["reason", "reasons"]}
        columns={badColumns}
        data={useLocalRows(rows)}
        id={(row) => String(row.index)}
        second={(row) => <Message text={row.message} />}
        height="fit"
      />
    </>
  );
}

const warningColumn = columnsOf<ImportWarning>();
const warningColumns = [
  warningColumn.accessor("line", { header: "Line", size: 80, meta: { narrow: true }, cell: (cell) => countText(cell.getValue()) }),
  warningColumn.accessor("reason", { header: "Reason", size: 210, meta: { narrow: true }, cell: (cell) => <code className={classes.reason}>{cell.getValue()}</code> }),
  warningColumn.accessor("message", { header: "What to look at", size: 300, meta: { grow: 4 }, cell: (cell) => <Message text={cell.getValue()} /> }),
];

function Warnings({ warnings, count }: { readonly warnings: readonly ImportWarning[]; readonly count: bigint }): ReactNode {
  return (
    <>
      <h3 className={classes.subtitle}>Warnings{count > BigInt(warnings.length) && `, the first ${countText(warnings.length)}`}</h3>
      <DataTable
        label="Warnings"
        noun={["warning", "warnings"]}
        columns={warningColumns}
        data={useLocalRows(warnings)}
        id={(row) => `${String(row.line)} ${row.reason} ${row.message}`}
        second={(row) => <Message text={row.message} />}
        height="fit"
      />
    </>
  );
}

function Message({ text }: { readonly text: string }): ReactNode {
  return (
    <span className={classes.message} title={text}>
      {text}
    </span>
  );
}
