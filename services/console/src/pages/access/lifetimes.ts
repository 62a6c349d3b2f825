import type { Duration } from "@bufbuild/protobuf/wkt";
import { durationFromMs } from "@bufbuild/protobuf/wkt";

interface Preset {
  readonly value: string;
  readonly label: string;
  /** In milliseconds; none is without end for a lifetime, and at once for an overlap. */
  readonly ms?: number;
}

const hour = 3_600_000;
const day = 24 * hour;

export const lifetimes: readonly Preset[] = [
  { value: "1d", label: "1 day", ms: day },
  { value: "30d", label: "30 days", ms: 30 * day },
  { value: "90d", label: "90 days", ms: 90 * day },
  { value: "1y", label: "1 year", ms: 365 * day },
  { value: "", label: "No end" },
];

/** How long a former key lives on beside its successor. */
export const overlaps: readonly Preset[] = [
  { value: "", label: "None" },
  { value: "1h", label: "1 hour", ms: hour },
  { value: "1d", label: "1 day", ms: day },
  { value: "7d", label: "7 days", ms: 7 * day },
  { value: "30d", label: "30 days", ms: 30 * day },
];

function msOf(presets: readonly Preset[], value: string): number | undefined {
  return presets.find((preset) => preset.value === value)?.ms;
}

/** For a request; undefined where the preset has no length. */
export function durationOf(presets: readonly Preset[], value: string): Duration | undefined {
  const ms = msOf(presets, value);
  return ms === undefined ? undefined : durationFromMs(ms);
}

/** When it ends if it begins now; undefined where the preset has no length. */
export function endOf(presets: readonly Preset[], value: string, now: Date): Date | undefined {
  const ms = msOf(presets, value);
  return ms === undefined ? undefined : new Date(now.getTime() + ms);
}
