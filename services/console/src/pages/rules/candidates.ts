import type { MoneyText } from "../../parts/money";
import type { RoutingStrategy } from "@gen/routing/v1/types_pb";
import { weighing } from "./strategies";

/** A candidate while it is edited. */
export interface CandidateValues {
  /** Names the row for as long as the form is open, whatever operator it has. */
  readonly key: string;
  readonly operatorId: string;
  readonly priority: string;
  readonly weight: string;
  readonly price: MoneyText;
}

type Rows = readonly CandidateValues[];

export function priorityOf(row: CandidateValues): number {
  const text = row.priority.trim();
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

/** By priority. While one of them cannot be read, rows stay where they are. */
export function sorted(rows: Rows): CandidateValues[] {
  if (rows.some((row) => Number.isNaN(priorityOf(row)))) return [...rows];
  return [...rows].sort((a, b) => priorityOf(a) - priorityOf(b));
}

/** Takes a row to another place. Priorities follow the places. */
export function moved(rows: Rows, from: number, to: number): CandidateValues[] {
  const row = rows[from];
  if (row === undefined || to < 0 || to >= rows.length || from === to) return [...rows];
  const next = rows.filter((_, index) => index !== from);
  next.splice(to, 0, row);
  return dealt(next);
}

/** Gives rows priorities by their places: those that they had, so that gaps somebody left stay, or 1, 2, 3 where two were equal. */
export function dealt(rows: Rows): CandidateValues[] {
  const had = rows.map(priorityOf).sort((a, b) => a - b);
  const distinct = new Set(had).size === had.length && had.every((priority) => priority >= 1);
  return rows.map((row, index) => ({ ...row, priority: String(distinct ? had[index] : index + 1) }));
}

/** Another row at the end. */
export function added(rows: Rows, currency: string): CandidateValues[] {
  const last = Math.max(0, ...rows.map(priorityOf).filter((priority) => !Number.isNaN(priority)));
  const keys = new Set(rows.map((row) => row.key));
  let number = rows.length + 1;
  while (keys.has(`new-${String(number)}`)) number++;
  return [
    ...rows,
    { key: `new-${String(number)}`, operatorId: "", priority: String(last + 1), weight: "100", price: { amount: "", currency } },
  ];
}

/** Strategies that go by the order refuse equal priorities: rows get new ones where the strategy before did not care. */
export function fitted(rows: Rows, strategy: RoutingStrategy): CandidateValues[] {
  if (!weighing(strategy).strict) return [...rows];
  const priorities = rows.map(priorityOf);
  return new Set(priorities).size === rows.length ? sorted(rows) : dealt(rows);
}

/** The share of messages that a row gets while all are usable, 0 to 1; undefined when it cannot be told. */
export function share(rows: Rows, index: number): number | undefined {
  const weights = rows.map((row) => (/^\d+$/.test(row.weight.trim()) ? Number(row.weight) : Number.NaN));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const own = weights[index];
  return own === undefined || !(sum > 0) ? undefined : own / sum;
}
