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
export function DateTimeInput({ value, onChange, description, ...rest }: DateTimeInputProps): ReactNode {
  const date = dateFrom(value);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <TextInput
      {...rest}
      type="datetime-local"
      value={value}
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
