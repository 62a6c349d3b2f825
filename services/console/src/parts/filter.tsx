import { Chip, Group, Select } from "@mantine/core";
import { type ReactNode, useId } from "react";
import classes from "./filter.module.css";

export interface Option {
  readonly value: string;
  readonly label: string;
}

interface FilterSelectProps {
  readonly label: string;
  /** "" is all. */
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly options: readonly Option[];
  /** The word for all. */
  readonly all?: string;
}

export function FilterSelect({ label, value, onChange, options, all = "All" }: FilterSelectProps): ReactNode {
  return (
    <Select
      aria-label={label}
      placeholder={`${label}: ${all.toLowerCase()}`}
      value={value === "" ? null : value}
      onChange={(next) => onChange(next ?? "")}
      data={options.map(({ value: one, label: word }) => ({ value: one, label: word }))}
      searchable={options.length > 8}
      clearable
      clearButtonProps={{ "aria-label": `Clear ${label.toLowerCase()}` }}
      comboboxProps={{ withinPortal: true }}
      w={200}
      maw="100%"
    />
  );
}

interface FilterChipsProps {
  readonly label: string;
  readonly value: readonly string[];
  readonly onChange: (values: readonly string[]) => void;
  readonly options: readonly Option[];
}

/** Any of several; none chosen is all. */
export function FilterChips({ label, value, onChange, options }: FilterChipsProps): ReactNode {
  const id = useId();
  return (
    <div role="group" aria-labelledby={id} className={classes.chips}>
      <span id={id} className={classes.label}>
        {label}
      </span>
      <Chip.Group multiple value={[...value]} onChange={onChange}>
        <Group gap={6}>
          {options.map((option) => (
            <Chip key={option.value} value={option.value} size="xs" radius="sm" variant="outline">
              {option.label}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
    </div>
  );
}

/** The row above a table. */
export function Filters({ children }: { readonly children: ReactNode }): ReactNode {
  return <div className={classes.filters}>{children}</div>;
}
