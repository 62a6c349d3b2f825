import { Select } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useAccountNames } from "../../parts/names";
import { isId } from "./question";

interface AccountFieldProps {
  readonly value: string;
  readonly onChange: (id: string) => void;
}

/** Accounts by name. An id that is typed or pasted counts too: senders need not be known here. */
export function AccountField({ value, onChange }: AccountFieldProps): ReactNode {
  const { accounts, name, loading } = useAccountNames();
  const [search, setSearch] = useState("");
  const options = accounts.map((account) => ({ value: account.accountId, label: account.name }));
  const typed = search.trim().toLowerCase();
  for (const id of new Set([value, typed])) {
    if (isId(id) && !options.some((option) => option.value === id)) options.unshift({ value: id, label: name(id) ?? id });
  }
  return (
    <Select
      label="Account"
      description="Its own rules come before global ones."
      inputWrapperOrder={["label", "input", "description"]}
      placeholder="Global rules only"
      value={value === "" ? null : value}
      onChange={(next) => onChange(next ?? "")}
      data={options}
      searchable
      searchValue={search}
      onSearchChange={setSearch}
      clearable
      limit={100}
      nothingFoundMessage={loading ? "Loading…" : "No account of that name; an id can be pasted"}
      clearButtonProps={{ "aria-label": "Clear account" }}
    />
  );
}
