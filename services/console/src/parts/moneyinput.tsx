import { Autocomplete, Input } from "@mantine/core";
import { type ReactNode, useId } from "react";
import classes from "./moneyinput.module.css";
import type { MoneyText } from "./money";

interface MoneyInputProps {
  readonly label: string;
  readonly value: MoneyText;
  readonly onChange: (value: MoneyText) => void;
  /** Currencies that are offered; any other may be typed. */
  readonly currencies?: readonly string[];
  readonly error?: ReactNode;
  readonly description?: ReactNode;
  readonly required?: boolean;
  readonly disabled?: boolean;
}

const usual = ["EUR", "USD", "GBP", "CHF"];

/** Decimal text and a currency. readMoney and moneyComplaint say what it is worth. */
export function MoneyInput(props: MoneyInputProps): ReactNode {
  const { label, value, onChange, currencies = usual, error, description, required = false, disabled = false } = props;
  const id = useId();
  return (
    <Input.Wrapper id={id} label={label} error={error} description={description} required={required}>
      <div className={classes.pair}>
        {/* Of its own it has no description and error: it takes those of the pair. */}
        <Input
          id={id}
          className={classes.amount ?? ""}
          value={value.amount}
          onChange={(event) => onChange({ ...value, amount: event.currentTarget.value })}
          inputMode="decimal"
          placeholder="0.0125"
          autoComplete="off"
          error={Boolean(error)}
          disabled={disabled}
        />
        <Autocomplete
          aria-label={`${label}: currency`}
          className={classes.currency ?? ""}
          value={value.currency}
          onChange={(currency) => onChange({ ...value, currency: currency.trim().toUpperCase().slice(0, 3) })}
          data={[...currencies]}
          disabled={disabled}
        />
      </div>
    </Input.Wrapper>
  );
}
