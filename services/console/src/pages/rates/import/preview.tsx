import { Button } from "@mantine/core";
import { type RateChange, type RateDiff, RateChangeKind } from "@gen/operators/v1/rate_pb";
import { MessageType } from "@gen/routing/v1/types_pb";
import { IconAlertTriangle, IconInfoCircle } from "@tabler/icons-react";
import { type ReactNode, useMemo } from "react";
import { Count, countText } from "../../../parts/figures";
import { FilterChips, Filters } from "../../../parts/filter";
import { OperatorName } from "../../../parts/names";
import { Moment, momentWidth } from "../../../parts/moment";
import { Prefix } from "../../../parts/number";
import { useListParam, useParam } from "../../../parts/params";
import { Price } from "../../../parts/price";
import { StatusBadge } from "../../../parts/status";
import { columnsOf, DataTable } from "../../../parts/table";
import { useLocalRows } from "../../../parts/tablequery";
import { When } from "../../../parts/when";
import { messageTypeWord } from "../../../parts/words";
import type { Scope } from "./draft";
import classes from "./import.module.css";
import { Note } from "./steps";
import { changeCount, dangers, kindOf, kinds, percentChange, permille } from "./verdict";

interface Row extends RateChange {
  readonly key: string;
}

const column = columnsOf<Row>();

const columns = [
  column.accessor("kind", { header: "Change", size: 130, enableSorting: false, meta: { narrow: true }, cell: (cell) => <KindBadge kind={cell.getValue()} /> }),
  column.accessor("prefix", { header: "Prefix", size: 130, meta: { narrow: true }, cell: (cell) => <Prefix value={cell.getValue()} /> }),
  column.accessor("messageType", { header: "Type", size: 70, enableSorting: false, meta: { grow: 0 }, cell: (cell) => messageTypeWord(cell.getValue()) }),
  column.display({ id: "before", header: "Before", size: 130, meta: { align: "end" }, cell: ({ row }) => <Price money={row.original.before} /> }),
  column.display({ id: "after", header: "After", size: 130, meta: { align: "end" }, cell: ({ row }) => <Price money={row.original.after} /> }),
  column.accessor((row) => Number(permille(row) ?? 0n), {
    id: "percent",
    header: "Percent",
    size: 90,
    meta: { narrow: true, align: "end" },
    cell: ({ row }) => percentChange(row.original) || "–",
  }),
  column.display({ id: "from", header: "Effective from", size: momentWidth.minutes, meta: { grow: 0 }, cell: ({ row }) => <Moment time={row.original.effectiveFrom} /> }),
  column.accessor((row) => Number(row.line), {
    id: "line",
    header: "Line",
    size: 80,
    meta: { align: "end", grow: 0 },
    cell: ({ row }) => (row.original.line === 0n ? <span title="The deck does not name it.">–</span> : countText(row.original.line)),
  }),
];

function KindBadge({ kind }: { readonly kind: RateChangeKind }): ReactNode {
  const one = kindOf(kind);
  return <StatusBadge tone={one?.tone ?? "idle"}>{one?.word ?? "Unknown"}</StatusBadge>;
}

interface PreviewProps {
  readonly diff: RateDiff;
  /** Name of the deck. */
  readonly file: string;
  readonly scope: Scope;
  readonly operator: string;
  readonly onApply: () => void;
  readonly onBack: () => void;
  readonly cancel: ReactNode;
}

/** Step 3: what the deck changes, before anything is stored. */
export function Preview({ diff, file, scope, operator, onApply, onBack, cancel }: PreviewProps): ReactNode {
  const changes = changeCount(diff);
  const warnings = dangers(diff, scope);
  return (
    <div className={classes.wide}>
      <p className={classes.subject}>
        {file} → <OperatorName id={operator} />, {scope === "full" ? "the full price list: what it does not name ends" : "changes only: what it does not name stays"}.
      </p>
      {warnings.map((warning) => (
        <Note key={warning} tone="warning" icon={<IconAlertTriangle size={18} aria-hidden />}>
          {warning}
        </Note>
      ))}
      {changes === 0n && (
        <Note icon={<IconInfoCircle size={18} aria-hidden />}>
          The deck changes nothing: <OperatorName id={operator} /> charges all of this already.
        </Note>
      )}
      <Counts diff={diff} />
      {changes > 0n && <Changes diff={diff} />}
      <div className={classes.buttons}>
        {cancel}
        <Button variant="default" onClick={onBack}>
          Back
        </Button>
        {changes > 0n && <Button onClick={onApply}>{`Apply ${countText(changes)} ${changes === 1n ? "change" : "changes"}`}</Button>}
      </div>
    </div>
  );
}

export function Counts({ diff }: { readonly diff: RateDiff }): ReactNode {
  return (
    <dl className={classes.figures} aria-label="Changes by kind">
      {kinds.map(({ key, word, count }) => (
        <div key={key} className={classes.figure}>
          <dt>{word}</dt>
          <dd>
            <Count value={count(diff)} />
          </dd>
        </div>
      ))}
      <div className={classes.figure}>
        <dt>Unchanged</dt>
        <dd>
          <Count value={diff.unchangedCount} />
        </dd>
      </div>
    </dl>
  );
}

function Changes({ diff }: { readonly diff: RateDiff }): ReactNode {
  const [chosen, setChosen] = useListParam("kind");
  const sort = useParam("sort");
  const rows = useMemo(() => {
    const all = diff.changes.map((change, index) => ({ ...change, key: String(index) }));
    return chosen.length === 0 ? all : all.filter(({ kind }) => chosen.includes(kindOf(kind)?.key ?? ""));
  }, [diff, chosen]);
  const data = useLocalRows<Row>(rows);
  const total = changeCount(diff);
  const here = diff.changes.length;
  const some = kinds.filter(({ count }) => count(diff) > 0n);
  return (
    <>
      {some.length > 1 && (
        <Filters>
          <FilterChips label="Show" value={chosen} onChange={setChosen} options={some.map(({ key, word }) => ({ value: key, label: word }))} />
        </Filters>
      )}
      <DataTable
        label="Changes"
        noun={["change", "changes"]}
        columns={columns}
        data={data}
        id={(row) => row.key}
        sort={sort}
        height="fit"
        second={(row) => (
          <span>
            <Price money={row.before} /> → <Price money={row.after} /> · {row.messageType === MessageType.SMS ? "" : `${messageTypeWord(row.messageType)} · `}
            <When time={row.effectiveFrom} />
          </span>
        )}
        {...(BigInt(here) < total ? { tools: `The ${countText(here)} largest of ${countText(total)}` } : {})}
      />
    </>
  );
}
