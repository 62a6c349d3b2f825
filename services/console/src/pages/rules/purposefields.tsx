import { Checkbox, Group, Select } from "@mantine/core";
import type { ReactNode } from "react";
import { AccountName } from "../../parts/names";
import { Facts } from "../../parts/page";
import { Prefix } from "../../parts/number";
import { PrefixInput } from "../../parts/prefixinput";
import { AccountSelect } from "../../parts/select";
import { messageTypeWord } from "../../parts/words";
import { countries } from "./countries";
import type { RuleForm } from "./ruleformstate";
import { messageTypes, typesText } from "./strategies";
import classes from "./rules.module.css";

interface PurposeFieldsProps {
  readonly form: RuleForm;
  /** A stored rule: what it is for is fixed. */
  readonly stored: boolean;
  /** The one account of a bound caller, whose rules are always its own; "" for all others. */
  readonly bound: string;
}

/** Which messages the rule is for. */
export function PurposeFields({ form, stored, bound }: PurposeFieldsProps): ReactNode {
  const { values, errors, change } = form;
  const country = (
    <Select
      label="Country"
      description="For people; it decides nothing."
      placeholder="None"
      data={countries}
      value={values.country === "" ? null : values.country}
      onChange={(code) => change({ country: code ?? "" })}
      error={errors["country"]}
      searchable
      clearable
      clearButtonProps={{ "aria-label": "Clear country" }}
      nothingFoundMessage="No such country"
    />
  );
  if (stored) {
    const types = messageTypes.filter((type) => values.messageTypes.includes(String(type)));
    return (
      <>
        <Facts
          items={[
            { label: "Prefix", value: <Prefix value={values.prefix} /> },
            { label: "Account", value: <AccountName id={values.accountId} link={false} /> },
            { label: "Message types", value: typesText(types) },
          ]}
        />
        <p className={classes.hint}>Prefix, account and message types of a rule never change. Make another rule for others.</p>
        <div className={classes.pair}>{country}</div>
      </>
    );
  }
  return (
    <>
      <div className={classes.pair}>
        <PrefixInput
          label="Prefix"
          description="Numbers that begin with it. Cannot be changed later."
          value={values.prefix}
          onChange={(prefix) => change({ prefix })}
          error={errors["prefix"]}
          required
          data-autofocus={values.prefix === "" || undefined}
        />
        {bound === "" ? (
          <AccountSelect
            label="Account"
            description="None: for every account. Cannot be changed later."
            placeholder="Global"
            value={values.accountId}
            onChange={(accountId) => change({ accountId })}
            error={errors["accountId"]}
            clearable
          />
        ) : (
          <Facts items={[{ label: "Account", value: <AccountName id={bound} link={false} /> }]} />
        )}
      </div>
      <div className={classes.pair}>
        <Checkbox.Group
          label="Message types"
          description="None chosen: all types. Cannot be changed later."
          value={[...values.messageTypes]}
          onChange={(chosen) => change({ messageTypes: chosen })}
          error={errors["messageTypes"]}
        >
          <Group gap="md" mt={8}>
            {messageTypes.map((type) => (
              <Checkbox key={type} value={String(type)} label={messageTypeWord(type)} />
            ))}
          </Group>
        </Checkbox.Group>
        {country}
      </div>
    </>
  );
}
