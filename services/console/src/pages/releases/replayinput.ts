import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ReplayReleaseRequestSchema } from "@gen/releases/v1/release_pb";
import { fromLocal, gapComplaint } from "../../parts/datetime";

/** What a replay is asked with, as it stands in the address. The file itself cannot be there. */
export interface ReplayInput {
  /** "log" or "file". */
  readonly sample: string;
  /** How far back in the log: "1h", "24h", "7d", or "range" for from and to. */
  readonly since: string;
  readonly from: string;
  readonly to: string;
  /** Most decisions of the log; "" is 100,000. */
  readonly limit: string;
  /** The moment at which it is decided; "" is now. */
  readonly at: string;
}

export const usualInput: ReplayInput = { sample: "log", since: "24h", from: "", to: "", limit: "", at: "" };

const hour = 3_600_000;

export const spans: readonly { readonly value: string; readonly label: string; readonly ms: number }[] = [
  { value: "1h", label: "the last hour", ms: hour },
  { value: "24h", label: "the last 24 hours", ms: 24 * hour },
  { value: "7d", label: "the last 7 days", ms: 7 * 24 * hour },
];

/** Most decisions that the schema allows to ask for. */
export const mostDecisions = 1_000_000;

/** What is wrong with the input, by field; empty when nothing is. */
export function complaints(input: ReplayInput, file: File | undefined): Partial<Record<keyof ReplayInput | "file", string>> {
  const found: Partial<Record<keyof ReplayInput | "file", string>> = {};
  const at = input.at === "" ? undefined : timeComplaint(input.at, orNow);
  if (at !== undefined) found.at = at;
  if (input.sample === "file") {
    if (file === undefined) found.file = "Choose a file of numbers.";
    else if (file.size === 0) found.file = "The file is empty.";
    return found;
  }
  if (!/^\d*$/.test(input.limit) || Number(input.limit) > mostDecisions) found.limit = "A whole number up to 1,000,000, or empty for 100,000.";
  if (input.since === "range") {
    const [from, to] = [fromLocal(input.from), fromLocal(input.to)];
    const wrong = { from: timeComplaint(input.from, "Give a date and a time."), to: input.to === "" ? undefined : timeComplaint(input.to, orNow) };
    if (wrong.from !== undefined) found.from = wrong.from;
    if (wrong.to !== undefined) found.to = wrong.to;
    else if (from !== undefined && to !== undefined && to.seconds <= from.seconds) found.to = "Must be after the start.";
  }
  return found;
}

const orNow = "Give a date and a time, or leave it empty for now.";

function timeComplaint(text: string, missing: string): string | undefined {
  return fromLocal(text) === undefined ? missing : gapComplaint(text);
}

type Request = MessageInitShape<typeof ReplayReleaseRequestSchema>;

/** The request; csv is given for the sample "file". */
export function replayRequest(
  input: ReplayInput, ids: { readonly releaseId: string; readonly baseReleaseId: string; readonly down: readonly string[] }, now: Date, csv?: Uint8Array,
): Request {
  const at = fromLocal(input.at);
  return {
    releaseId: ids.releaseId,
    baseReleaseId: ids.baseReleaseId,
    downOperatorIds: [...ids.down],
    ...(at === undefined ? {} : { decideTime: at }),
    sample: csv !== undefined ? { case: "csv", value: csv } : { case: "decisions", value: decisions(input, now) },
  };
}

function decisions(input: ReplayInput, now: Date) {
  const limit = input.limit === "" ? 0 : Number(input.limit);
  if (input.since !== "range") {
    const ms = (spans.find(({ value }) => value === input.since) ?? { ms: 24 * hour }).ms;
    return { fromTime: timestampFromDate(new Date(now.getTime() - ms)), limit };
  }
  const [from, to] = [fromLocal(input.from), fromLocal(input.to)];
  return { ...(from === undefined ? {} : { fromTime: from }), ...(to === undefined ? {} : { toTime: to }), limit };
}
