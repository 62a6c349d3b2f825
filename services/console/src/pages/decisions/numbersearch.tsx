import { Button } from "@mantine/core";
import { IconArrowLeft, IconSearch } from "@tabler/icons-react";
import { type FormEvent, type ReactNode, useState } from "react";
import { Msisdn } from "../../parts/number";
import { Section } from "../../parts/page";
import { MsisdnInput, numberComplaint, tidied } from "../../parts/prefixinput";
import classes from "./decisions.module.css";

interface NumberFormProps {
  readonly onSearch: (number: string) => void;
  readonly onCancel: () => void;
}

/** Asks for a whole number, and says what asking does. */
export function NumberForm({ onSearch, onCancel }: NumberFormProps): ReactNode {
  const [text, setText] = useState("");
  const [told, setTold] = useState(false);
  const complaint = numberComplaint(tidied(text));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTold(true);
    if (complaint === null) onSearch(tidied(text));
  };
  return (
    <Section title="Find decisions about a number" description="This search is written to the audit log with your name. It looks through the whole log; the filters do not count.">
      <form className={classes.search} onSubmit={submit} noValidate>
        <MsisdnInput label="Number" value={text} onChange={setText} error={told ? complaint : undefined} autoFocus />
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" leftSection={<IconSearch size={16} aria-hidden />}>
          Search and record it
        </Button>
      </form>
    </Section>
  );
}

/** What the table shows instead of what the filters choose. */
export function NumberShown({ number, onClear }: { readonly number: string; readonly onClear: () => void }): ReactNode {
  return (
    <div className={classes.shown} role="status">
      <span>
        Decisions about <Msisdn number={number} /> in the whole log. The search is in the audit log.
      </span>
      <Button variant="default" size="compact-sm" leftSection={<IconArrowLeft size={14} aria-hidden />} onClick={onClear}>
        Back to all decisions
      </Button>
    </div>
  );
}
