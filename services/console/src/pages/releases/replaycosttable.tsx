import { Table } from "@mantine/core";
import type { ReplayCost, ReplayReport } from "@gen/releases/v1/release_pb";
import { IconArrowDownRight, IconArrowUpRight } from "@tabler/icons-react";
import { type ReactNode, useMemo } from "react";
import { Bars } from "../../parts/bars";
import { counted, countText } from "../../parts/figures";
import { Section } from "../../parts/page";
import { columnsOf, DataTable } from "../../parts/table";
import { useLocalRows } from "../../parts/tablequery";
import { amountText, barSize, differenceOf, direction, percentOf, routeName, sameCost, unpriced } from "./replaycosts";
import classes from "./releases.module.css";

/** How many bars are drawn; the table has the rest. */
const drawn = 12;

/** What it costs: totals, then operators and countries, largest difference first. */
export function Costs({ report }: { readonly report: ReplayReport }): ReactNode {
  const changed = useMemo(() => report.costs.filter((cost) => !sameCost(cost)), [report.costs]);
  const plotted = changed.filter((cost) => !unpriced(cost)).slice(0, drawn);
  if (report.totals.length === 0) return null;
  return (
    <Section title="Cost" description="One segment a decision, at the prices of the moment that was decided at">
      <Totals totals={report.totals} />
      {plotted.length === 0 ? (
        <p className={classes.note}>No operator and country costs more or less than before.</p>
      ) : (
        <>
          <h3 className={classes.subtitle}>By operator and country</h3>
          <Bars
            label="Cost before and after by operator and country"
            rows={plotted.map((cost) => ({
              label: nameOfCost(cost),
              bars: [
                { word: "Before", size: barSize(cost.before), text: amountText(cost.before), tone: "idle" },
                { word: "After", size: barSize(cost.after), text: amountText(cost.after), tone: 1 },
              ],
            }))}
          />
          {changed.length > plotted.length && (
            <p className={classes.note}>The {countText(plotted.length)} largest differences are drawn, of {counted(changed.length, ["row", "rows"])}.</p>
          )}
          <CostTable rows={changed} />
        </>
      )}
    </Section>
  );
}

function nameOfCost(cost: ReplayCost): string {
  return `${routeName(cost.operatorId, cost.operatorName)} ${cost.callingCode}`.trim();
}

/** "2 → 0". */
function countsText({ beforeCount, afterCount }: ReplayCost): string {
  return beforeCount === afterCount ? countText(beforeCount) : `${countText(beforeCount)} → ${countText(afterCount)}`;
}

function Totals({ totals }: { readonly totals: readonly ReplayCost[] }): ReactNode {
  return (
    <Table.ScrollContainer minWidth={560} scrollAreaProps={{ viewportProps: { tabIndex: 0, role: "region", "aria-label": "Totals by currency" } }}>
      <Table verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Total</Table.Th>
            {["Decisions", "Before", "After", "Difference", "Percent"].map((head) => (
              <Table.Th key={head} scope="col" ta="end">
                {head}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {totals.map((total) => (
            <Table.Tr key={(total.after ?? total.before)?.currencyCode ?? "none"}>
              <Table.Th scope="row">{unpriced(total) ? "Without a price" : `All in ${(total.after ?? total.before)?.currencyCode ?? ""}`}</Table.Th>
              <Table.Td ta="end">{countsText(total)}</Table.Td>
              <Table.Td ta="end">{amountText(total.before)}</Table.Td>
              <Table.Td ta="end">{amountText(total.after)}</Table.Td>
              <Table.Td ta="end"><Difference cost={total} /></Table.Td>
              <Table.Td ta="end">{percentOf(total) || "–"}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** With an arrow, because a sign alone is overlooked. */
function Difference({ cost }: { readonly cost: ReplayCost }): ReactNode {
  const way = direction(cost);
  const text = differenceOf(cost);
  if (text === "") return "–";
  return (
    <span className={classes.difference} data-way={way}>
      {way === "up" && <IconArrowUpRight size={14} aria-label="more" />}
      {way === "down" && <IconArrowDownRight size={14} aria-label="less" />}
      {text}
    </span>
  );
}

const column = columnsOf<ReplayCost>();

const columns = [
  column.accessor(({ operatorId, operatorName }) => routeName(operatorId, operatorName), { id: "operator", header: "Operator", size: 160, meta: { narrow: true } }),
  column.accessor("callingCode", { header: "Country", size: 84, meta: { grow: 0, mono: true } }),
  column.accessor(countsText, { id: "decisions", header: "Decisions", size: 130, meta: { align: "end", grow: 0 } }),
  column.accessor(({ before }) => amountText(before), { id: "before", header: "Before", size: 140, meta: { align: "end", grow: 0 } }),
  column.accessor(({ after }) => amountText(after), { id: "after", header: "After", size: 140, meta: { align: "end", grow: 0 } }),
  column.display({
    id: "difference", header: "Difference", size: 160, meta: { align: "end", grow: 0, narrow: true }, cell: ({ row }) => <Difference cost={row.original} />,
  }),
  column.accessor((cost) => percentOf(cost) || "–", { id: "percent", header: "Percent", size: 100, meta: { align: "end", grow: 0 } }),
];

function CostTable({ rows }: { readonly rows: readonly ReplayCost[] }): ReactNode {
  const data = useLocalRows(rows);
  return (
    <DataTable
      label="Cost by operator and country"
      noun={["row", "rows"]}
      columns={columns}
      data={data}
      id={(cost) => `${cost.operatorId} ${cost.callingCode} ${(cost.after ?? cost.before)?.currencyCode ?? ""}`}
      second={(cost) => `${cost.callingCode}, ${countsText(cost)}, ${percentOf(cost) || "no percent"}`}
      height="fit"
    />
  );
}
