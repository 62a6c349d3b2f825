import { TextInput } from "@mantine/core";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ReactNode } from "react";
import { dateOf, utcText } from "./when";

interface DateTimeInputProps {
  readonly label: string;
  /** YYYY-MM-DDTHH:MM in the local zone; "" is none. */
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
      value={value}
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

/** For the value of a DateTimeInput. */
export function localText(time: Timestamp | Date | undefined): string {
  if (time === undefined) return "";
  const date = dateOf(time);
  const two = (part: number): string => String(part).padStart(2, "0");
  const day = `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** As localText, with seconds and milliseconds where the moment has them: for values that are compared and sent back. */
export function exactText(time: Timestamp | undefined): string {
  if (time === undefined) return "";
  const parts = /:(\d\d)(\.\d{3})Z$/.exec(dateOf(time).toISOString());
  const [seconds = "00", thousandths = ".000"] = parts?.slice(1) ?? [];
  if (thousandths !== ".000") return `${localText(time)}:${seconds}${thousandths}`;
  return seconds === "00" ? localText(time) : `${localText(time)}:${seconds}`;
}

/** What is wrong with a local time that the clock leaves out when it is set forward. */
export function gapComplaint(text: string): string | undefined {
  const date = dateFrom(text);
  if (date === undefined || localText(date) === text.slice(0, localText(date).length)) return undefined;
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
