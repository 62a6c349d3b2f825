import { type ReleaseChange, ReleaseSubject } from "@gen/releases/v1/release_pb";
import { type ReactNode, useMemo } from "react";
import { Drawer, useDrawer } from "../../parts/drawer";
import { counted } from "../../parts/figures";
import { FilterChips, Filters } from "../../parts/filter";
import { Prefix } from "../../parts/number";
import { useListParam, useParam } from "../../parts/params";
import { Price } from "../../parts/price";
import { SearchBox } from "../../parts/search";
import { Empty } from "../../parts/states";
import { StatusBadge } from "../../parts/status";
import { columnsOf, DataTable } from "../../parts/table";
import { useLocalRows } from "../../parts/tablequery";
import { AccountName } from "../../parts/names";
import { messageTypeWord } from "../../parts/words";
import { ChangeDetail } from "./changedetail";
import { changeName, filtered, kindOf, kinds, subjects, subjectWord } from "./changewords";
import type { ChangeRow, Diff } from "./diff";
import { operatorCounts } from "./operatordiff";
import { OperatorTable } from "./operatortable";
import { basisPointsText } from "./percent";
import classes from "./releases.module.css";

const column = columnsOf<ChangeRow>();

const columns = [
  column.accessor(({ change }) => change.kind, {
    id: "kind", header: "Kind", size: 116, meta: { grow: 0, narrow: true }, enableSorting: false,
    cell: ({ row }) => <KindBadge change={row.original.change} />,
  }),
  column.accessor(({ change }) => change.subject, {
    id: "subject", header: "What", size: 108, meta: { grow: 0 }, cell: ({ getValue }) => subjectWord(getValue()), enableSorting: false,
  }),
  column.accessor(({ change }) => changeName(change), {
    id: "name", header: "Prefix or name", size: 132, meta: { narrow: true }, enableSorting: false,
    cell: ({ row }) => <Name change={row.original.change} />,
  }),
  column.accessor(({ change }) => owner(change), {
    id: "of", header: "Of", size: 176, meta: { grow: 2 }, enableSorting: false, cell: ({ row }) => <Owner change={row.original.change} />,
  }),
  column.accessor(({ change }) => (change.changeBasisPoints === 0n ? undefined : Number(change.changeBasisPoints)), {
    id: "change", header: "Change", size: 430, meta: { grow: 6 }, sortUndefined: "last", cell: ({ row }) => <What change={row.original.change} />,
  }),
];

function KindBadge({ change }: { readonly change: ReleaseChange }): ReactNode {
  const { label, tone } = kindOf(change.kind);
  return <StatusBadge tone={tone}>{label}</StatusBadge>;
}

function Name({ change }: { readonly change: ReleaseChange }): ReactNode {
  return change.prefix === "" ? changeName(change) : <Prefix value={change.prefix} />;
}

/** For sorting: accounts of rules by id, operators of prices by name. */
function owner({ subject, accountId, operatorName }: ReleaseChange): string {
  return subject === ReleaseSubject.RATE ? operatorName : accountId;
}

function Owner({ change }: { readonly change: ReleaseChange }): ReactNode {
  switch (change.subject) {
    case ReleaseSubject.RULE:
      return change.accountId === "" ? "all accounts" : <AccountName id={change.accountId} link={false} />;
    case ReleaseSubject.RATE:
      return `${change.operatorName}, ${messageTypeWord(change.messageType)}`;
    default:
      return "";
  }
}

function Side({ change, side }: { readonly change: ReleaseChange; readonly side: "before" | "after" }): ReactNode {
  if (change.subject !== ReleaseSubject.RATE) return null;
  const money = change[side];
  return money === undefined ? <span aria-label="no price">–</span> : <Price money={money} />;
}

/** Prices stand below each other; of a rule everything is told that differs. */
function What({ change }: { readonly change: ReleaseChange }): ReactNode {
  const percent = change.changeBasisPoints === 0n ? "" : basisPointsText(change.changeBasisPoints);
  const details = <span title={change.details.join("\n")}>{change.details.join("; ")}</span>;
  if (change.subject !== ReleaseSubject.RATE) {
    return (
      <>
        {details} {percent}
      </>
    );
  }
  return (
    <span className={classes.prices}>
      <span>
        <Side change={change} side="before" />
      </span>
      <span aria-label="to">→</span>
      <span>
        <Side change={change} side="after" />
      </span>
      <span>{percent}</span>
      {details}
    </span>
  );
}

function Second({ change }: { readonly change: ReleaseChange }): ReactNode {
  if (change.subject === ReleaseSubject.RATE) {
    return (
      <>
        {change.operatorName}: <Side change={change} side="before" /> → <Side change={change} side="after" />
      </>
    );
  }
  return (
    <>
      {subjectWord(change.subject)}: {change.details[0]}
    </>
  );
}

interface ChangeTableProps {
  readonly diff: Diff;
  /** How many changes there are in all, operators apart. */
  readonly total: bigint;
}

export function ChangeTable({ diff, total }: ChangeTableProps): ReactNode {
  const [search, setSearch] = useParam("q");
  const [chosenSubjects, setSubjects] = useListParam("subject");
  const [chosenKinds, setKinds] = useListParam("kind");
  const sort = useParam("sort");
  const drawer = useDrawer("change");
  const rows = useMemo(
    () => filtered(diff.rows, { subjects: chosenSubjects, kinds: chosenKinds, search }),
    [diff.rows, chosenSubjects, chosenKinds, search],
  );
  const data = useLocalRows(diff.rows.length === 0 && diff.state === "running" ? undefined : rows);
  const open = [...diff.rows, ...diff.operators].find(({ key }) => key === drawer.id)?.change;
  const operators = useMemo(
    () => (diff.summary === undefined || diff.summary.operatorsChanged === 0n ? undefined : operatorCounts(diff.summary, diff.operators.map(({ change }) => change))),
    [diff.summary, diff.operators],
  );
  const hidden = total - BigInt(diff.rows.length);
  return (
    <>
      {total > 0n && (
        <>
          <Filters>
            <SearchBox label="Search changes" placeholder="Prefix, operator or detail" value={search} onChange={setSearch} />
            <FilterChips label="What" value={chosenSubjects} onChange={setSubjects} options={subjects} />
            <FilterChips label="Kind" value={chosenKinds} onChange={setKinds} options={kinds} />
          </Filters>
          {diff.state === "done" && hidden > 0n && (
            <p className={classes.note} role="note">
              Everything is counted; the first {counted(diff.rows.length, ["change is", "changes are"])} shown, prices that rise most first.{" "}
              {counted(hidden, ["change is", "changes are"])} left out.
            </p>
          )}
          <DataTable
            label="Changes"
            noun={["change", "changes"]}
            columns={columns}
            data={data}
            id={({ key }) => key}
            onOpen={({ key }) => {
              drawer.open(key);
            }}
            current={drawer.id}
            sort={sort}
            second={({ change }) => <Second change={change} />}
            empty={<Empty title="No change is like that">Take filters away to see the others.</Empty>}
            height={rows.length > 12 ? 560 : "fit"}
          />
        </>
      )}
      {operators !== undefined && <OperatorTable counts={operators} rows={diff.operators} onOpen={drawer.open} current={drawer.id} />}
      <Drawer id={drawer.id} onClose={drawer.close} title={open === undefined ? "Change" : `${subjectWord(open.subject)} ${changeName(open)}`}>
        {() => (open === undefined ? <Empty title="Nothing here">This change is not among those that are shown.</Empty> : <ChangeDetail change={open} />)}
      </Drawer>
    </>
  );
}
