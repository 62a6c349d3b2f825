import { TextInput } from "@mantine/core";
import { type ReactNode, useEffect, useState } from "react";
import { useCaller } from "../../api/caller";
import { FilterSelect, Filters } from "../../parts/filter";
import { useAccountNames, useOperatorNames } from "../../parts/names";
import { tidied } from "../../parts/prefixinput";
import { SearchBox } from "../../parts/search";
import { shortId } from "../../parts/shortid";
import { countries } from "./countries";
import classes from "./rules.module.css";

export interface RuleFilter {
  readonly q: string;
  readonly prefix: string;
  readonly country: string;
  readonly account: string;
  readonly operator: string;
}

export const noFilter: RuleFilter = { q: "", prefix: "", country: "", account: "", operator: "" };

interface RuleFiltersProps {
  readonly filter: RuleFilter;
  readonly onChange: (change: Partial<RuleFilter>) => void;
}

export function RuleFilters({ filter, onChange }: RuleFiltersProps): ReactNode {
  const { accountId } = useCaller();
  return (
    <Filters>
      <SearchBox label="Search rules" placeholder="Prefix, country or description" value={filter.q} onChange={(q) => onChange({ q })} />
      <PrefixFilter value={filter.prefix} onChange={(prefix) => onChange({ prefix })} />
      <div className={classes.filter}>
        <FilterSelect label="Country" value={filter.country} onChange={(country) => onChange({ country })} options={countries} />
      </div>
      {accountId === "" && <NameFilters filter={filter} onChange={onChange} />}
    </Filters>
  );
}

/** Not for callers that are bound to one account: they may not list operators. */
function NameFilters({ filter, onChange }: RuleFiltersProps): ReactNode {
  const { accounts } = useAccountNames();
  const { live } = useOperatorNames();
  return (
    <>
      <div className={classes.filter}>
        <FilterSelect
          label="Account"
          value={filter.account}
          onChange={(account) => onChange({ account })}
          options={named(accounts.map((one) => ({ value: one.accountId, label: one.name })), filter.account)}
        />
      </div>
      <div className={classes.filter}>
        <FilterSelect
          label="Operator"
          value={filter.operator}
          onChange={(operator) => onChange({ operator })}
          options={named(live.map((one) => ({ value: one.operatorId, label: one.name })), filter.operator)}
        />
      </div>
    </>
  );
}

/** What an address names stays chosen while its name is not known. */
function named(options: { value: string; label: string }[], chosen: string): { value: string; label: string }[] {
  if (chosen === "" || options.some(({ value }) => value === chosen)) return options;
  return [{ value: chosen, label: shortId(chosen) }, ...options];
}

const pause = 250;

function PrefixFilter({ value, onChange }: { readonly value: string; readonly onChange: (prefix: string) => void }): ReactNode {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const prefix = tidied(text);
  const readable = prefix === "" || /^\+[1-9]\d{0,14}$/.test(prefix);
  useEffect(() => {
    if (!readable || prefix === value) return;
    const timer = setTimeout(() => onChange(prefix), pause);
    return () => clearTimeout(timer);
  }, [prefix, readable]);
  return (
    <TextInput
      aria-label="Prefixes that begin with"
      placeholder="Prefix: +44"
      inputMode="tel"
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      error={!readable && prefix !== "+"}
      w={130}
      maw="100%"
    />
  );
}
