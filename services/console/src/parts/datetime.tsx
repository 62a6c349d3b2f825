import { SegmentedControl, TextInput } from "@mantine/core";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ReactNode } from "react";
import { dateOf, utcText } from "./when";

interface DateTimeInputProps {
  readonly label: string;
  /** YYYY-MM-DDTHH:MM in the local zone; "" is none. Of a time that comes twice the second one has its offset behind it: 2026-10-25T02:30+01:00. */
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error?: ReactNode;
  readonly description?: ReactNode;
  readonly min?: string;
  readonly max?: string;
  readonly required?: boolean;
  readonly disabled?: boolean;
}

/** The browser's own input; below it the zone that counts, and the same moment in UTC. */
export function DateTimeInput({ value, onChange, description, error, ...rest }: DateTimeInputProps): ReactNode {
  const date = dateFrom(value);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <TextInput
      {...rest}
      type="datetime-local"
      value={withoutOffset(value)}
      inputContainer={(input) => (
        <>
          {input}
          <Readings label={rest.label} value={value} onChange={onChange} />
        </>
      )}
      error={error ?? gapComplaint(value)}
      onChange={(event) => onChange(event.currentTarget.value)}
      description={
        <>
          {description} {date === undefined ? `Time zone ${zone}` : `${zone}, ${utcText(date).replace(/:\d\d UTC$/, " UTC")}`}
        </>
      }
      inputWrapperOrder={["label", "input", "description", "error"]}
    />
  );
}

type ReadingsProps = Pick<DateTimeInputProps, "label" | "value" | "onChange">;

/** When the clock is set back, an hour comes twice: which of the two is meant. */
function Readings({ label, value, onChange }: ReadingsProps): ReactNode {
  const both = readings(value);
  if (both.length < 2) return null;
  return (
    <SegmentedControl
      mt={4}
      size="xs"
      aria-label={`${label}: this time comes twice`}
      value={value}
      onChange={onChange}
      data={both.map((text, index) => ({ value: text, label: `${index === 0 ? "First" : "Second"}, UTC${offsetText(new Date(text))}` }))}
    />
  );
}

/** The texts of the moments that a clock on the wall would show like this: two in the hour that comes twice, otherwise one. */
export function readings(text: string): readonly string[] {
  const plain = withoutOffset(text);
  const first = dateFrom(plain);
  if (first === undefined) return [];
  const second = [30, 60, 120].map((minutes) => new Date(first.getTime() + minutes * 60_000)).find((date) => wallText(date) === wallText(first));
  return second === undefined ? [plain] : [plain, plain + offsetText(second)];
}

function withoutOffset(text: string): string {
  return text.replace(/[+-]\d\d:\d\d$/, "");
}

/** "+01:00" */
function offsetText(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const two = (part: number): string => String(Math.trunc(part)).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}

/** For the value of a DateTimeInput. */
export function localText(time: Timestamp | Date | undefined): string {
  return time === undefined ? "" : wallText(dateOf(time)) + laterOffset(dateOf(time));
}

/** The offset of the second of two moments that look alike; "" of all others. */
function laterOffset(date: Date): string {
  const minute = Math.floor(date.getTime() / 60_000) * 60_000;
  return new Date(wallText(date)).getTime() === minute ? "" : offsetText(date);
}

/** What a clock on the wall shows. */
function wallText(date: Date): string {
  const two = (part: number): string => String(part).padStart(2, "0");
  const day = `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** As localText, with seconds and milliseconds where the moment has them: for values that are compared and sent back. */
export function exactText(time: Timestamp | undefined): string {
  if (time === undefined) return "";
  const parts = /:(\d\d)(\.\d{3})Z$/.exec(dateOf(time).toISOString());
  const [seconds = "00", thousandths = ".000"] = parts?.slice(1) ?? [];
  const rest = thousandths !== ".000" ? `:${seconds}${thousandths}` : seconds === "00" ? "" : `:${seconds}`;
  return wallText(dateOf(time)) + rest + laterOffset(dateOf(time));
}

/** What is wrong with a local time that the clock leaves out when it is set forward. */
export function gapComplaint(text: string): string | undefined {
  const date = dateFrom(text);
  if (date === undefined || text.startsWith(wallText(date))) return undefined;
  return "The clock is set forward then, and leaves this time out. Choose another.";
}

/** The moment that the text means in the local zone; undefined when it is none. */
export function fromLocal(text: string): Timestamp | undefined {
  const date = dateFrom(text);
  return date === undefined ? undefined : timestampFromDate(date);
}

function dateFrom(text: string): Date | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text)) return undefined;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
