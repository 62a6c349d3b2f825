import { Radio } from "@mantine/core";
import type { ReactNode } from "react";
import type { Choice } from "./strategies";
import classes from "./rules.module.css";

interface ChoicesProps {
  readonly label: string;
  readonly choices: readonly Choice[];
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error?: string | undefined;
}

/** One of a few, each with the sentence that says what it does. */
export function Choices({ label, choices, value, onChange, error }: ChoicesProps): ReactNode {
  return (
    <Radio.Group label={label} value={value} onChange={onChange} error={error}>
      <div className={classes.choices}>
        {choices.map((choice) => (
          <Radio key={choice.value} value={choice.value} label={choice.label} description={choice.sentence} />
        ))}
      </div>
    </Radio.Group>
  );
}
