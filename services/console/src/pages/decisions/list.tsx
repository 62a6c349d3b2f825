import { Button } from "@mantine/core";
import type { DecisionRecord } from "@gen/routing/v1/decision_pb";
import { DecisionService } from "@gen/routing/v1/decision_service_pb";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import type { DrawerState } from "../../parts/drawer";
import { Empty } from "../../parts/states";
import { DataTable } from "../../parts/table";
import { type TableData, useTableQuery } from "../../parts/tablequery";
import { DecisionSecond, decisionColumns } from "./columns";
import { changed, type Filter } from "./filters";
import { useFormer } from "./useformer";
import { filterOf, type Look } from "./uselook";

const pageSize = 200;

export interface DecisionRows {
  readonly data: TableData<DecisionRecord>;
  /** Whether so many are loaded that they are not read again by themselves. */
  readonly deep: boolean;
}

/** Decisions, newest first. */
export function useDecisionList(filter: Filter, { window, every }: Look): DecisionRows {
  // Where it begins stays while it is looked at: another beginning would be another list, read from its first page on.
  const [from, setFrom] = useState(window.from);
  useEffect(() => setFrom(window.from), [filter.range, filter.from, filter.to]);
  const [deep, setDeep] = useState(false);
  const request = useMemo(() => ({ filter: filterOf(filter, from, window.to) }), [filter, from, window.to]);
  const data = useTableQuery(DecisionService.method.listDecisions, request, {
    rows: (page) => page.decisions,
    pageSize,
    enabled: window.complaint === undefined,
    // Whoever is far down reads; all pages up to there would be read again.
    ...(every === false || deep ? {} : { refetchInterval: every }),
  });
  const many = data.rows.length > 2 * pageSize;
  useEffect(() => setDeep(many), [many]);
  return { data: useKeptRows(JSON.stringify(filter), data), deep };
}

/** The rows of before while there are no newer ones, for who comes back to the page. */
function useKeptRows(question: string, data: TableData<DecisionRecord>): TableData<DecisionRecord> {
  const { rows, state, previous, problem, staleSince } = data;
  const fresh = state === "ready" && !previous && staleSince === undefined;
  const known = useMemo(() => (fresh ? { rows, at: new Date() } : undefined), [fresh, rows]);
  const former = useFormer(`rows ${question}`, known);
  if (state === "ready" || former === undefined || former.rows.length === 0) return data;
  return { ...data, rows: former.rows, state: "ready", more: false, previous: state === "loading", staleSince: problem === undefined ? undefined : former.at };
}

interface ListProps {
  readonly list: DecisionRows;
  /** How many there are in all, as far as the sums say. */
  readonly total: bigint | undefined;
  readonly filter: Filter;
  readonly look: Look;
  readonly drawer: DrawerState;
  readonly onClear: () => void;
}

export function DecisionList({ list: { data, deep }, total, filter, look, drawer, onClear }: ListProps): ReactNode {
  // That rows are old is said above, once for the page.
  const rows = useMemo(() => ({ ...data, staleSince: undefined, ...(total === undefined ? {} : { total: Number(total) }) }), [data, total]);
  return (
    <DecisionTable
      data={rows}
      drawer={drawer}
      tools={deep && look.every !== false ? <span>No refresh while more than {2 * pageSize} are loaded</span> : undefined}
      empty={
        changed(filter) ? (
          <Empty
            title="No decision matches"
            action={
              <Button variant="default" onClick={onClear}>
                Clear filters
              </Button>
            }
          >
            None of this time has what the filters ask for.
          </Empty>
        ) : (
          <Empty title="No decision in this time">
            Either nothing was sent, or the log of decisions is off: engines keep it when engine.decision_log.key is set, and it comes through NATS, a few seconds late.
          </Empty>
        )
      }
    />
  );
}

interface TableProps {
  readonly data: TableData<DecisionRecord>;
  readonly drawer: DrawerState;
  readonly tools?: ReactNode;
  readonly empty: ReactNode;
}

export function DecisionTable({ data, drawer, tools, empty }: TableProps): ReactNode {
  return (
    <DataTable<DecisionRecord>
      label="Decisions"
      noun={["decision", "decisions"]}
      columns={decisionColumns}
      data={data}
      id={(row) => row.decisionId}
      onOpen={(row) => drawer.open(row.decisionId)}
      current={drawer.id}
      second={(row) => <DecisionSecond record={row} />}
      tools={tools}
      empty={empty}
      height={560}
    />
  );
}
