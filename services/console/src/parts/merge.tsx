import { Button, Group, Modal, Radio } from "@mantine/core";
import { Code } from "@connectrpc/connect";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { describe, type Problem } from "../api/errors";
import { FormProblem } from "./formproblem";
import classes from "./merge.module.css";
import { type Choice, mergeOf, same, threeWay } from "./threeway";

/** A field of V and how it is shown; values are shown as text unless render is given. */
export type MergeField<V> = {
  readonly [K in keyof V & string]: {
    readonly name: K;
    readonly label: string;
    readonly render?: (value: V[K]) => ReactNode;
  };
}[keyof V & string];

interface MergeProps<V extends object> {
  readonly opened: boolean;
  readonly onClose: () => void;
  /** What was being changed: "operator Acme". */
  readonly subject: string;
  /** As it was when the form opened. */
  readonly base: V;
  readonly mine: V;
  /** As it is on the server now. */
  readonly theirs: V;
  /** Whether theirs is the caller's own, saved in another place. */
  readonly own?: boolean;
  readonly fields: readonly MergeField<V>[];
  /** merged is theirs with what was chosen; to be sent with the etag of theirs. A rejection is shown inside. */
  readonly onMerge: (merged: V) => Promise<unknown>;
}

/** Whether a change was refused because another came between. */
export function isConflict(problem: Problem | undefined): boolean {
  return problem?.code === Code.Aborted && (problem.reason === "ETAG_MISMATCH" || problem.reason === "");
}

/** What to do when somebody else changed the same thing meanwhile, field by field. */
export function Merge<V extends object>({ opened, onClose, subject, base, mine, theirs, own = false, fields, onMerge }: MergeProps<V>): ReactNode {
  const names = useMemo(() => fields.map((field) => field.name), [fields]);
  const found = useMemo(() => threeWay(base, mine, theirs, names), [base, mine, theirs, names]);
  const [choices, setChoices] = useState<Partial<Record<string, Choice>>>({});
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  useEffect(() => {
    setChoices({});
  }, [opened, theirs]);
  // Stays when theirs changes: it says why.
  useEffect(() => {
    setProblem(undefined);
  }, [opened]);

  const changed = fields.filter((field) => found[field.name] !== "same");
  const open = fields.filter((field) => found[field.name] === "conflict" && choices[field.name] === undefined);
  const save = async (): Promise<void> => {
    setPending(true);
    setProblem(undefined);
    try {
      await onMerge(mergeOf(base, mine, theirs, names, choices));
      onClose();
    } catch (error) {
      const found = describe(error);
      setProblem(isConflict(found) ? { ...found, message: "It was saved once more while you chose. Below is the newest version: choose again." } : found);
    } finally {
      setPending(false);
    }
  };
  return (
    <Modal
      opened={opened}
      onClose={() => {
        if (!pending) onClose();
      }}
      size="xl"
      title={own ? "You changed this meanwhile in another place" : "Somebody else changed this meanwhile"}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <div className={classes.merge}>
        <p className={classes.intro}>
          While you were editing {subject}, it was saved {own ? "by you in another place" : "by somebody else"}. Fields that only one of the two changed are taken as they are.
          {open.length > 0 && " Choose what counts where both changed the same."}
        </p>
        <FormProblem problem={problem} />
        {changed.length === 0 && <p className={classes.intro}>Both versions are the same by now: there is nothing left to save.</p>}
        {changed.map((field) => (
          <FieldView
            key={field.name}
            label={field.label}
            state={found[field.name]}
            base={show(field, base)}
            mine={show(field, mine)}
            theirs={show(field, theirs)}
            choice={choices[field.name]}
            onChoose={(choice) => setChoices((former) => ({ ...former, [field.name]: choice }))}
          />
        ))}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onClose} disabled={pending}>
            Keep editing
          </Button>
          <Button onClick={() => void save()} loading={pending} disabled={open.length > 0}>
            {open.length > 0 ? `${String(open.length)} to choose` : "Save the merged version"}
          </Button>
        </Group>
      </div>
    </Modal>
  );
}

function show<V extends object>(field: MergeField<V>, values: V): ReactNode {
  const value = values[field.name];
  if (field.render !== undefined) return field.render(value);
  if (same(value, undefined) || value === "" || (Array.isArray(value) && value.length === 0)) return <em>nothing</em>;
  return Array.isArray(value) ? value.map(String).join(", ") : String(value);
}

interface FieldViewProps {
  readonly label: string;
  readonly state: string | undefined;
  readonly base: ReactNode;
  readonly mine: ReactNode;
  readonly theirs: ReactNode;
  readonly choice: Choice | undefined;
  readonly onChoose: (choice: Choice) => void;
}

const taken: Readonly<Record<string, string>> = {
  mine: "only you changed it: yours is taken",
  theirs: "only they changed it: theirs is taken",
  both: "both made the same change",
};

function FieldView({ label, state, base, mine, theirs, choice, onChoose }: FieldViewProps): ReactNode {
  const conflict = state === "conflict";
  return (
    <fieldset className={classes.field} data-conflict={conflict || undefined}>
      <legend className={classes.legend}>
        {label} {!conflict && <span className={classes.taken}>{taken[state ?? ""]}</span>}
      </legend>
      <div className={classes.versions}>
        <div className={classes.version}>
          <span className={classes.which}>Before</span>
          <div className={classes.value}>{base}</div>
        </div>
        {(["mine", "theirs"] as const).map((side) => (
          <label key={side} className={classes.version} data-chosen={(conflict ? choice === side : state === side || state === "both") || undefined}>
            {conflict ? (
              <Radio
                size="xs"
                name={label}
                checked={choice === side}
                onChange={() => onChoose(side)}
                label={side === "mine" ? "Yours" : "Theirs"}
                aria-label={`${label}: take ${side === "mine" ? "yours" : "theirs"}`}
              />
            ) : (
              <span className={classes.which}>{side === "mine" ? "Yours" : "Theirs"}</span>
            )}
            <div className={classes.value}>{side === "mine" ? mine : theirs}</div>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
