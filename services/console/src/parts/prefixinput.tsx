import { TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./prefixinput.module.css";

interface NumberTextProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly onBlur?: () => void;
  readonly error?: ReactNode;
  readonly description?: ReactNode;
  readonly placeholder?: string;
  readonly required?: boolean;
  readonly disabled?: boolean;
  readonly autoFocus?: boolean;
}

/** Takes away what people write between digits, and makes 00 and a missing "+" a "+". */
export function tidied(text: string): string {
  const bare = text.replace(/[\s().\-/]/g, "").replace(/^00/, "+");
  return /^[1-9]\d*$/.test(bare) ? `+${bare}` : bare;
}

/** For the validation of @mantine/form. */
export function prefixComplaint(text: string, required = true): string | null {
  if (text === "") return required ? "Give a prefix such as +49." : null;
  return /^\+[1-9]\d{0,14}$/.test(text) ? null : "A prefix is + and up to 15 digits, such as +49151.";
}

export function numberComplaint(text: string): string | null {
  if (text === "") return "Give a number such as +491511234567.";
  return /^\+[1-9]\d{6,14}$/.test(text) ? null : "A number is + with the country code, and 7 to 15 digits in all.";
}

function NumberText({ onChange, onBlur, value, ...rest }: NumberTextProps): ReactNode {
  return (
    <TextInput
      {...rest}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      onBlur={() => {
        const tidy = tidied(value);
        if (tidy !== value) onChange(tidy);
        onBlur?.();
      }}
      onPaste={(event) => {
        // Only a paste into an empty field is whole.
        if (value !== "") return;
        event.preventDefault();
        onChange(tidied(event.clipboardData.getData("text")));
      }}
      inputMode="tel"
      autoComplete="off"
      spellCheck={false}
      classNames={{ input: classes.input ?? "" }}
    />
  );
}

export function PrefixInput(props: NumberTextProps): ReactNode {
  return <NumberText placeholder="+49151" {...props} />;
}

export function MsisdnInput(props: NumberTextProps): ReactNode {
  return <NumberText placeholder="+491511234567" {...props} />;
}
