import { CloseButton, Kbd, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { type ReactNode, useEffect, useRef, useState } from "react";

interface SearchBoxProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
  /** Milliseconds without typing before the value is told. */
  readonly delay?: number;
}

/** "/" focuses it from anywhere on the page, Esc clears it. */
export function SearchBox({ label, value, onChange, placeholder, delay = 250 }: SearchBoxProps): ReactNode {
  const [text, setText] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  const told = useRef(value);
  const tell = useRef(onChange);
  tell.current = onChange;

  // What changed it from outside, as Back does, wins over what was typed.
  useEffect(() => {
    if (value === told.current) return;
    told.current = value;
    setText(value);
  }, [value]);

  useEffect(() => {
    if (text === told.current) return;
    const timer = setTimeout(() => {
      if (text === told.current) return; // by Enter
      told.current = text;
      tell.current(text);
    }, delay);
    return () => clearTimeout(timer);
  }, [text, delay]);

  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target)) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    document.addEventListener("keydown", focus);
    return () => document.removeEventListener("keydown", focus);
  }, []);

  const clear = (): void => {
    setText("");
    told.current = "";
    tell.current("");
  };
  return (
    <TextInput
      ref={input}
      type="search"
      role="searchbox"
      aria-label={label}
      aria-keyshortcuts="/"
      placeholder={placeholder ?? label}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter" && text !== told.current) {
          told.current = text;
          tell.current(text);
        }
        if (event.key !== "Escape" || text === "") return;
        event.stopPropagation();
        event.preventDefault();
        clear();
      }}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={
        text === "" ? <Kbd size="xs" aria-hidden>/</Kbd> : <CloseButton size="sm" aria-label="Clear search" onClick={clear} />
      }
      w={280}
      maw="100%"
    />
  );
}

/** Whether keys that are pressed there are text, so that shortcuts have to stay away. */
export function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable=true], [role=dialog] input") !== null;
}
