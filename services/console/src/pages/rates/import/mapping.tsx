import { Button, Select, TextInput } from "@mantine/core";
import { MessageType } from "@gen/routing/v1/types_pb";
import { type FormEvent, type ReactNode, useMemo, useState } from "react";
import type { Problem } from "../../../api/errors";
import { DateTimeInput } from "../../../parts/datetime";
import { FormProblem } from "../../../parts/formproblem";
import type { Job } from "../../../parts/job";
import { Section } from "../../../parts/page";
import { Progress } from "../../../parts/progress";
import { messageTypeWord } from "../../../parts/words";
import { columnComplaints, deckColumns } from "./columns";
import type { Reading } from "./draft";
import classes from "./import.module.css";

interface MappingProps {
  readonly headers: readonly string[];
  readonly workbook: boolean;
  readonly reading: Reading;
  readonly onReading: (change: Partial<Reading>) => void;
  readonly job: Pick<Job<never, never>, "state" | "progress" | "startedAt" | "cancel">;
  readonly problem: Problem | undefined;
  /** Reads the headers of another sheet. */
  readonly onSheet: (sheet: string) => void;
  readonly onNext: () => void;
  readonly onBack: () => void;
  readonly cancel: ReactNode;
}

const types = [MessageType.SMS, MessageType.FLASH, MessageType.WAP].map((type) => ({ value: String(type), label: messageTypeWord(type) }));

/** Step 2: which header of the deck is which column, and what counts where a line says nothing. */
export function Mapping(props: MappingProps): ReactNode {
  const { reading, onReading, headers } = props;
  const [tried, setTried] = useState(false);
  const [sheet, setSheet] = useState(reading.sheet);
  const options = useMemo(() => [...new Set(headers)], [headers]);
  const complaints = columnComplaints(reading.columns, reading.currency);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(complaints).length === 0) props.onNext();
  };
  const running = props.job.state === "running";
  return (
    <form className={classes.wide} onSubmit={submit} noValidate>
      <FormProblem problem={props.problem} />
      {props.workbook && (
        <div className={classes.sheet}>
          <TextInput
            label="Sheet"
            description="Empty is the first one."
            value={sheet}
            maxLength={100}
            onChange={(event) => setSheet(event.currentTarget.value)}
          />
          <Button
            variant="default"
            disabled={running || sheet.trim() === reading.sheet}
            onClick={() => props.onSheet(sheet.trim())}
          >
            Read this sheet
          </Button>
        </div>
      )}
      <Section title="Columns" description="Which header of the deck is which of our columns. They are guessed by their names: look at each.">
        <div className={classes.columns}>
          {deckColumns.map(({ name, label, says }) => (
            <Select
              key={name}
              label={label}
              description={says}
              placeholder="Not in the deck"
              data={options}
              value={reading.columns[name] === "" ? null : reading.columns[name]}
              onChange={(header) => onReading({ columns: { ...reading.columns, [name]: header ?? "" } })}
              searchable
              clearable
              clearButtonProps={{ "aria-label": `${label} is not in the deck` }}
              nothingFoundMessage="The deck has no such header"
              error={tried ? complaints[name] : undefined}
            />
          ))}
        </div>
      </Section>
      <Section title="Where a line says nothing">
        <div className={classes.columns}>
          <TextInput
            label="Currency"
            description="For lines without one; ISO 4217, such as EUR."
            value={reading.currency}
            maxLength={3}
            autoCapitalize="characters"
            spellCheck={false}
            onChange={(event) => onReading({ currency: event.currentTarget.value.toUpperCase() })}
            error={tried ? complaints.default_currency : undefined}
          />
          <Select
            label="Message type"
            description="For lines without one."
            data={types}
            value={String(reading.type)}
            onChange={(value) => onReading({ type: value === null ? MessageType.SMS : (Number(value) as MessageType) })}
            allowDeselect={false}
          />
          <DateTimeInput
            label="Effective from"
            description="For lines without a date. Empty is the moment of the import."
            value={reading.from}
            onChange={(from) => onReading({ from })}
          />
        </div>
      </Section>
      {running ? (
        <Progress job={props.job} label="Reading the deck and comparing" />
      ) : (
        <div className={classes.buttons}>
          {props.cancel}
          <Button variant="default" onClick={props.onBack}>
            Back
          </Button>
          <Button type="submit">Look at the changes</Button>
        </div>
      )}
    </form>
  );
}
