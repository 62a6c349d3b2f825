import { Select } from "@mantine/core";
import type { ReactNode } from "react";
import { useAccountNames, useOperatorNames } from "./names";

interface PickProps {
  readonly label: string;
  /** UUID; "" is none. */
  readonly value: string;
  readonly onChange: (id: string) => void;
  readonly error?: ReactNode;
  readonly description?: ReactNode;
  readonly placeholder?: string;
  readonly clearable?: boolean;
  readonly required?: boolean;
  readonly disabled?: boolean;
  /** Ids that are not offered. */
  readonly except?: readonly string[];
  /** Without a visible label, for filter rows. */
  readonly bare?: boolean;
}

export function OperatorSelect(props: PickProps): ReactNode {
  const { live, name, loading } = useOperatorNames();
  const options = live.map((operator) => ({ value: operator.operatorId, label: operator.name }));
  return <Pick {...props} options={options} name={name} loading={loading} none="No operator of that name" />;
}

export function AccountSelect(props: PickProps): ReactNode {
  const { accounts, name, loading } = useAccountNames();
  const options = accounts.map((account) => ({ value: account.accountId, label: account.name }));
  return <Pick {...props} options={options} name={name} loading={loading} none="No account of that name" />;
}

interface ListProps extends PickProps {
  readonly options: readonly { readonly value: string; readonly label: string }[];
  readonly name: (id: string) => string | undefined;
  readonly loading: boolean;
  readonly none: string;
}

function Pick({ options, name, loading, none, except = [], bare = false, label, value, onChange, placeholder, ...rest }: ListProps): ReactNode {
  const data = options.filter((option) => option.value === value || !except.includes(option.value));
  // What is chosen may be deleted by now, or its name still on the way: it stays chosen.
  if (value !== "" && !data.some((option) => option.value === value)) data.unshift({ value, label: name(value) ?? value });
  return (
    <Select
      {...rest}
      {...(bare ? { "aria-label": label } : { label })}
      placeholder={placeholder ?? (bare ? label : undefined)}
      value={value === "" ? null : value}
      onChange={(next) => onChange(next ?? "")}
      data={[...data]}
      searchable
      // To choose the same again is no way to choose none.
      allowDeselect={rest.clearable === true}
      nothingFoundMessage={loading ? "Loading…" : none}
      limit={100}
      clearButtonProps={{ "aria-label": `Clear ${label.toLowerCase()}` }}
    />
  );
}
