import { Button, Radio, Stack } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { type FormEvent, type ReactNode, useState } from "react";
import type { Problem } from "../../../api/errors";
import { FileDrop } from "../../../parts/filedrop";
import { FormProblem } from "../../../parts/formproblem";
import type { Job } from "../../../parts/job";
import { Progress } from "../../../parts/progress";
import { OperatorSelect } from "../../../parts/select";
import type { Scope } from "./draft";
import classes from "./import.module.css";
import { Note } from "./steps";

interface UploadProps {
  readonly file: File | undefined;
  readonly onFile: (file: File | undefined) => void;
  readonly operator: string;
  readonly onOperator: (id: string) => void;
  readonly scope: Scope | "";
  readonly onScope: (scope: Scope) => void;
  readonly job: Pick<Job<never, never>, "state" | "progress" | "startedAt" | "cancel">;
  readonly problem: Problem | undefined;
  /** The address asks for a later step, but a reload loses the file. */
  readonly lost: boolean;
  readonly onNext: () => void;
  readonly cancel: ReactNode;
}

/** Step 1: which file, of whom, and what it means. */
export function Upload(props: UploadProps): ReactNode {
  const [tried, setTried] = useState(false);
  const { file, operator, scope } = props;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (file !== undefined && operator !== "" && scope !== "") props.onNext();
  };
  const needed = (missing: boolean, text: string): string | undefined => (tried && missing ? text : undefined);
  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      {props.lost && (
        <Note icon={<IconInfoCircle size={18} aria-hidden />}>Files do not outlive a reload: choose the deck again.</Note>
      )}
      <FormProblem problem={props.problem} />
      <FileDrop
        label="Rate deck"
        file={file}
        onChange={props.onFile}
        accept=".csv,.tsv,.txt,.xlsx"
        description="CSV with commas, semicolons or tabs, or an XLSX workbook. A title above the header is fine. The file is sent as it is."
        error={needed(file === undefined, "Choose the file that the operator sent.")}
      />
      <OperatorSelect
        label="Operator"
        description="Whose prices these are."
        required
        value={operator}
        onChange={props.onOperator}
        error={needed(operator === "", "Choose the operator.")}
      />
      <Radio.Group
        label="What the deck holds"
        required
        value={scope}
        onChange={(value) => props.onScope(value === "full" ? "full" : "partial")}
        error={needed(scope === "", "Say whether prices that the deck does not name go or stay.")}
      >
        <Stack gap="sm" mt="xs" mb={4}>
          <Radio
            value="full"
            label="The full price list"
            description="Prices of this operator that the deck does not name end when the first of its prices begins to count."
          />
          <Radio value="partial" label="Changes only" description="Prices that the deck does not name stay as they are." />
        </Stack>
      </Radio.Group>
      {props.job.state === "running" ? (
        <Progress job={props.job} label="Sending and reading the deck" />
      ) : (
        <div className={classes.buttons}>
          {props.cancel}
          <Button type="submit">Read the deck</Button>
        </div>
      )}
    </form>
  );
}
