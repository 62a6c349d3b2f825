import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { fromLocal } from "../../parts/datetime";
import type { Option } from "../../parts/filter";

/** Lengths of time that end now, in milliseconds. "" is everything, "custom" has moments of its own. */
const lengths: Readonly<Record<string, number>> = { "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000, "30d": 2_592_000_000 };

export const custom = "custom";

export const ranges: readonly Option[] = [
  { value: "1h", label: "Last hour" },
  { value: "24h", label: "Last 24 hours" },
  { value: "7d", label: "Last 7 days" },
  { value: "30d", label: "Last 30 days" },
  { value: custom, label: "From and to…" },
];

export interface Span {
  readonly fromTime?: Timestamp;
  readonly toTime?: Timestamp;
}

/** from and to are texts of DateTimeInput; they count where range gives no length. */
export function spanOf(range: string, from: string, to: string, now: Date): Span {
  const length = lengths[range];
  if (length !== undefined) return { fromTime: timestampFromDate(new Date(now.getTime() - length)) };
  const fromTime = fromLocal(from);
  const toTime = fromLocal(to);
  return { ...(fromTime === undefined ? {} : { fromTime }), ...(toTime === undefined ? {} : { toTime }) };
}

/** Whether new rows may come into it. */
export function endsNow(range: string, to: string): boolean {
  return lengths[range] !== undefined || fromLocal(to) === undefined;
}

/** What is chosen in the list of ranges; links may give moments without a range. */
export function chosen(range: string, from: string, to: string): string {
  return lengths[range] !== undefined || range === custom ? range : from !== "" || to !== "" ? custom : "";
}
