import { timestampDate } from "@bufbuild/protobuf/wkt";
import { fromLocal, gapComplaint } from "../../parts/datetime";

/** How far ahead a release can be scheduled, in days. */
const mostDays = 90;

/** What is wrong with the moment of a scheduled release. */
export function momentComplaint(text: string, now: Date): string | undefined {
  const time = fromLocal(text);
  if (time === undefined) return "Give a date and a time.";
  const gap = gapComplaint(text);
  if (gap !== undefined) return gap;
  const away = timestampDate(time).getTime() - now.getTime();
  if (away <= 0) return "This moment has passed: choose a later one, or publish at once.";
  return away > mostDays * 86_400_000 ? `At most ${String(mostDays)} days ahead.` : undefined;
}
