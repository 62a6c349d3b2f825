import { Button, SegmentedControl, Switch, TextInput } from "@mantine/core";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type ReactNode, useEffect, useState } from "react";
import { DateTimeInput, fromLocal, localText } from "../../parts/datetime";
import { FilterSelect, Filters } from "../../parts/filter";
import { useAccountNames, useOperatorNames } from "../../parts/names";
import { tidied } from "../../parts/prefixinput";
import classes from "./decisions.module.css";
import { rangeOf, ranges, type Window } from "./window";

export interface Filter {
  readonly range: string;
  /** Moments in UTC, ISO 8601; both empty when a range that ends now is chosen. */
  readonly from: string;
  readonly to: string;
  readonly account: string;
  readonly operator: string;
  readonly prefix: string;
  readonly failed: string;
}

export const noFilter: Filter = { range: "1h", from: "", to: "", account: "", operator: "", prefix: "", failed: "" };

interface FilterProps {
  readonly filter: Filter;
  readonly window: Window;
  readonly onChange: (change: Partial<Filter>) => void;
}

/** Which decisions: when, of whom, and with what result. */
export function DecisionFilters({ filter, window, onChange }: FilterProps): ReactNode {
  const { accounts } = useAccountNames();
  const { all } = useOperatorNames();
  const own = filter.from !== "";
  return (
    <>
      <Filters>
        <SegmentedControl
          aria-label="Time"
          size="sm"
          value={own ? "own" : rangeOf(filter.range)}
          onChange={(next) => onChange(next === "own" ? ownTimes(window) : { range: next, from: "", to: "" })}
          data={[...Object.entries(ranges).map(([value, { label }]) => ({ value, label })), { value: "own", label: "From and to" }]}
        />
        <FilterSelect
          label="Account"
          value={filter.account}
          onChange={(account) => onChange({ account })}
          options={named(accounts.map((one) => ({ value: one.accountId, label: one.name })), filter.account)}
        />
        <FilterSelect
          label="Operator"
          value={filter.operator}
          onChange={(operator) => onChange({ operator })}
          options={named(all.map((one) => ({ value: one.operatorId, label: one.name })), filter.operator)}
        />
        <PrefixFilter value={filter.prefix} onChange={(prefix) => onChange({ prefix })} />
        <Switch label="Without a route only" checked={filter.failed === "1"} onChange={(event) => onChange({ failed: event.currentTarget.checked ? "1" : "" })} />
        {changed(filter) && (
          <Button variant="subtle" color="gray" size="compact-sm" onClick={() => onChange({ account: "", operator: "", prefix: "", failed: "" })}>
            Clear filters
          </Button>
        )}
      </Filters>
      {own && (
        <div className={classes.times}>
          <DateTimeInput label="From" value={localOf(filter.from)} onChange={(text) => onChange({ from: isoOf(text) || "?" })} error={window.complaint} />
          <DateTimeInput label="To, or now when empty" value={localOf(filter.to)} onChange={(text) => onChange({ to: isoOf(text) })} />
        </div>
      )}
    </>
  );
}

/** Whether anything but the time chooses. */
export function changed({ account, operator, prefix, failed }: Filter): boolean {
  return account !== "" || operator !== "" || prefix !== "" || failed !== "";
}

function ownTimes({ from, to }: Window): Partial<Filter> {
  const iso = (seconds: number): string => `${new Date(seconds * 1000).toISOString().slice(0, 16)}Z`;
  return { from: iso(from), to: iso(to ?? Date.now() / 1000) };
}

function localOf(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? "" : localText(date);
}

function isoOf(local: string): string {
  const time = fromLocal(local);
  return time === undefined ? "" : `${timestampDate(time).toISOString().slice(0, 16)}Z`;
}

/** What an address names stays chosen while its name is not known. */
function named(options: { value: string; label: string }[], chosen: string): { value: string; label: string }[] {
  if (chosen === "" || options.some(({ value }) => value === chosen)) return options;
  return [{ value: chosen, label: chosen }, ...options];
}

/** The log keeps the country code and four digits more. */
const kept = /^(\+[1-9]\d{0,6})?$/;

function PrefixFilter({ value, onChange }: { readonly value: string; readonly onChange: (prefix: string) => void }): ReactNode {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const tidy = tidied(text);
  const fits = kept.test(tidy);
  useEffect(() => {
    if (!fits || tidy === value) return;
    const timer = setTimeout(() => onChange(tidy), 300);
    return () => clearTimeout(timer);
    // Only what is typed is told; onChange is another one with every render.
  }, [tidy, fits]);
  return (
    <TextInput
      aria-label="Prefix of the number"
      placeholder="Number begins with"
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      error={fits ? undefined : "+ and at most 7 digits"}
      inputMode="tel"
      autoComplete="off"
      w={180}
      maw="100%"
    />
  );
}
