import { SegmentedControl, Table } from "@mantine/core";
import type { ReplayMove, ReplayReport } from "@gen/releases/v1/release_pb";
import { type ReactNode, useMemo } from "react";
import { countText } from "../../parts/figures";
import { Section } from "../../parts/page";
import { useParam } from "../../parts/params";
import { columnsOf, DataTable } from "../../parts/table";
import { useLocalRows } from "../../parts/tablequery";
import { shareText } from "./percent";
import { type Matrix, matrixOf, movers, routeName } from "./replaycosts";
import classes from "./releases.module.css";

/** Who moves where, as a table or, for few operators, as a matrix. */
export function Moves({ report }: { readonly report: ReplayReport }): ReactNode {
  const [view, setView] = useParam("moves", "table");
  const matrix = useMemo(() => matrixOf(report.moves), [report.moves]);
  const rows = useMemo(() => movers(report.moves), [report.moves]);
  if (rows.length === 0) return <Section title="Moves">No decision goes to another operator.</Section>;
  return (
    <Section
      title="Moves"
      description="Where traffic goes that had another operator before"
      actions={
        matrix !== undefined && (
          <SegmentedControl
            size="xs"
            aria-label="How moves are shown"
            value={view}
            onChange={setView}
            data={[{ value: "table", label: "Table" }, { value: "matrix", label: "Matrix" }]}
          />
        )
      }
    >
      {view === "matrix" && matrix !== undefined ? <MatrixTable matrix={matrix} total={report.decisionCount} /> : <MoveTable rows={rows} total={report.decisionCount} />}
    </Section>
  );
}

interface MoveRow {
  readonly move: ReplayMove;
  readonly share: string;
}

const column = columnsOf<MoveRow>();

const columns = [
  column.accessor(({ move }) => routeName(move.fromOperatorId, move.fromOperatorName), { id: "from", header: "From", size: 150, meta: { narrow: true } }),
  column.accessor(({ move }) => routeName(move.toOperatorId, move.toOperatorName), { id: "to", header: "To", size: 150, meta: { narrow: true } }),
  column.accessor(({ move }) => countText(move.count), { id: "count", header: "Decisions", size: 110, meta: { align: "end", grow: 0 } }),
  column.accessor("share", { header: "Share", size: 90, meta: { align: "end", grow: 0 } }),
];

function MoveTable({ rows, total }: { readonly rows: readonly ReplayMove[]; readonly total: bigint }): ReactNode {
  const data = useLocalRows(useMemo(() => rows.map((move) => ({ move, share: shareText(move.count, total) })), [rows, total]));
  return (
    <DataTable
      label="Moves"
      noun={["move", "moves"]}
      columns={columns}
      data={data}
      id={({ move }) => `${move.fromOperatorId} ${move.toOperatorId}`}
      second={({ move, share }) => `${countText(move.count)} (${share})`}
      height="fit"
    />
  );
}

function MatrixTable({ matrix, total }: { readonly matrix: Matrix; readonly total: bigint }): ReactNode {
  return (
    <Table.ScrollContainer minWidth={120 * (matrix.to.length + 1)} scrollAreaProps={{ viewportProps: { tabIndex: 0, role: "region", "aria-label": "Moves as a matrix" } }}>
      <Table withColumnBorders verticalSpacing={6} className={classes.matrix ?? ""}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">From \ To</Table.Th>
            {matrix.to.map((to) => (
              <Table.Th key={to} scope="col" ta="end">
                {to}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {matrix.from.map((from) => (
            <Table.Tr key={from}>
              <Table.Th scope="row">{from}</Table.Th>
              {matrix.to.map((to) => (
                <Cell key={to} count={matrix.count(from, to)} total={total} stays={from === to} />
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Cell({ count, total, stays }: { readonly count: bigint; readonly total: bigint; readonly stays: boolean }): ReactNode {
  if (count === 0n) return <Table.Td ta="end" className={classes.dim ?? ""}>–</Table.Td>;
  return (
    <Table.Td ta="end" className={stays ? classes.stays : classes.moves} title={shareText(count, total)}>
      {countText(count)}
    </Table.Td>
  );
}
