import { Autocomplete, type AutocompleteProps } from "@mantine/core";
import { type ReactNode, useEffect, useRef, useState } from "react";
import classes from "./audit.module.css";

interface TextFilterProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
  readonly suggestions?: readonly string[];
  /** What a suggestion means, in words that are looked for as well. */
  readonly hint?: (suggestion: string) => string;
  readonly width?: number;
}

/** Milliseconds without typing before the value is told. */
const delay = 400;

/** A filter by exact text, with suggestions. */
export function TextFilter({ label, value, onChange, placeholder, suggestions = [], hint, width = 200 }: TextFilterProps): ReactNode {
  const [text, setText] = useState(value);
  const told = useRef(value);
  const tell = useRef(onChange);
  tell.current = onChange;
  // What changed it from outside, as Back does, wins over what was typed.
  useEffect(() => {
    if (value === told.current) return;
    told.current = value;
    setText(value);
  }, [value]);
  const commit = (next: string): void => {
    if (next.trim() === told.current) return;
    told.current = next.trim();
    tell.current(next.trim());
  };
  useEffect(() => {
    const timer = setTimeout(() => commit(text), delay);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <Autocomplete
      aria-label={label}
      placeholder={placeholder ?? label}
      value={text}
      onChange={setText}
      onOptionSubmit={commit}
      onBlur={() => commit(text)}
      data={[...suggestions]}
      limit={40}
      {...(hint === undefined ? {} : hinting(hint))}
      clearable
      clearButtonProps={{ "aria-label": `Clear ${label.toLowerCase()}` }}
      maxLength={300}
      w={width}
      maw="100%"
    />
  );
}

/** Suggestions with what they mean below them. */
function hinting(hint: (suggestion: string) => string): Pick<AutocompleteProps, "renderOption" | "filter" | "comboboxProps"> {
  return {
    comboboxProps: { width: 260, position: "bottom-start" },
    filter: ({ options, search }) => {
      const text = search.trim().toLowerCase();
      return options.filter((option) => "value" in option && `${option.value} ${hint(option.value)}`.toLowerCase().includes(text));
    },
    renderOption: ({ option: { value } }) => (
      <span className={classes.suggestion}>
        <span>{hint(value)}</span>
        <span className={classes.mono}>{value}</span>
      </span>
    ),
  };
}
