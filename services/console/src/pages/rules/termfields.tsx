import { Switch, Textarea } from "@mantine/core";
import type { ReactNode } from "react";
import { DateTimeInput } from "../../parts/datetime";
import { Choices } from "./choices";
import type { RuleForm } from "./ruleformstate";
import { exhaustions } from "./strategies";
import classes from "./rules.module.css";

/** When the rule counts, and what follows when nobody can carry. */
export function TermFields({ form: { values, errors, change } }: { readonly form: RuleForm }): ReactNode {
  return (
    <>
      <Choices
        label="When no candidate is usable"
        choices={exhaustions}
        value={values.onExhausted}
        onChange={(onExhausted) => change({ onExhausted })}
        error={errors["onExhausted"]}
      />
      <Switch
        label="Active"
        description="Switched off, it counts for nothing, and its prices and overlaps are not checked."
        checked={values.active}
        onChange={(event) => change({ active: event.currentTarget.checked })}
      />
      <div className={classes.pair}>
        <DateTimeInput
          label="Valid from"
          description="Empty: always."
          value={values.validFrom}
          onChange={(validFrom) => change({ validFrom })}
          error={errors["validFrom"]}
        />
        <DateTimeInput
          label="Valid to"
          description="The first moment after. Empty: for ever."
          value={values.validTo}
          onChange={(validTo) => change({ validTo })}
          error={errors["validTo"]}
        />
      </div>
      <Textarea
        label="Description"
        description="For people, at most 500 characters."
        autosize
        minRows={2}
        maxRows={6}
        value={values.description}
        onChange={(event) => change({ description: event.currentTarget.value })}
        error={errors["description"]}
      />
    </>
  );
}
