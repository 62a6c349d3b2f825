import { type ComboboxParsedItem, Select } from "@mantine/core";
import { useQuery } from "@connectrpc/connect-query";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { type ReactNode, useMemo, useState } from "react";

/** Rules that are read for their operators: gateways have fewer operators than a page of rules names. */
const enough = 1000;

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Who is bound to an account has no list of operators. The rules that it sees name those that it may take. */
export function useSeenOperators(wanted: boolean, names: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const { data } = useQuery(RoutingRuleService.method.listRoutingRules, { pageSize: enough }, { enabled: wanted, staleTime: 60_000 });
  return useMemo(
    () => new Map([...(data?.rules ?? []).flatMap((rule) => rule.candidates.map((one): [string, string] => [one.operatorId, one.operatorName])), ...names]),
    [data, names],
  );
}

interface SeenOperatorSelectProps {
  readonly label: string;
  readonly seen: ReadonlyMap<string, string>;
  /** UUID; "" is none. */
  readonly value: string;
  readonly onChange: (id: string) => void;
  readonly except: readonly string[];
  readonly error: ReactNode;
}

/** One of the operators that rules name, or any other by its id. */
export function SeenOperatorSelect({ label, seen, value, onChange, except, error }: SeenOperatorSelectProps): ReactNode {
  const [search, setSearch] = useState("");
  const typed = search.trim().toLowerCase();
  const options = useMemo(() => {
    const known = [...seen].filter(([id]) => id === value || !except.includes(id));
    const pasted = [value, typed].filter((id) => uuid.test(id) && !seen.has(id));
    return [...new Map([...pasted.map((id): [string, string] => [id, id]), ...known])]
      .map(([id, name]) => ({ value: id, label: name === "" ? id : name }))
      .sort((a, b) => a.label.localeCompare(b.label));
  }, [seen, value, typed, except]);
  return (
    <Select
      aria-label={label}
      placeholder="Choose an operator"
      value={value === "" ? null : value}
      onChange={(next) => onChange(next ?? "")}
      data={options}
      searchable
      searchValue={search}
      onSearchChange={setSearch}
      filter={({ options: all, search: text, limit }) => matching(all, text).slice(0, limit)}
      allowDeselect={false}
      limit={100}
      nothingFoundMessage="No rule that you see has an operator of that name; an id can be pasted"
      error={error}
    />
  );
}

function matching(options: readonly ComboboxParsedItem[], text: string): ComboboxParsedItem[] {
  const wanted = text.trim().toLowerCase();
  return options.filter((one) => "value" in one && (one.value === wanted || one.label.toLowerCase().includes(wanted)));
}
