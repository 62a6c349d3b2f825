import { Button, Group, Modal, TextInput } from "@mantine/core";
import { type FormEvent, type ReactNode, useCallback, useEffect, useState } from "react";
import { describe, type Problem } from "../api/errors";
import classes from "./confirm.module.css";
import { FormProblem } from "./formproblem";

export interface Question {
  readonly title: string;
  /** What will happen, one sentence each. */
  readonly what: readonly ReactNode[];
  /** The word on the button: what it does, "Suspend". */
  readonly confirm: string;
  readonly danger?: boolean;
  /** Has to be typed first. */
  readonly word?: string;
  /** A rejection is shown inside and can be tried again; otherwise the dialog closes. */
  readonly action: () => Promise<unknown>;
  readonly children?: ReactNode;
}

interface ConfirmProps extends Question {
  readonly opened: boolean;
  readonly onClose: () => void;
}

export function Confirm({ opened, onClose, title, what, confirm, danger = false, word, action, children }: ConfirmProps): ReactNode {
  const [typed, setTyped] = useState("");
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  useEffect(() => {
    if (!opened) return;
    setTyped("");
    setProblem(undefined);
  }, [opened]);

  // A dialog that is at work stays, or nobody would learn how it ended.
  const close = (): void => {
    if (!pending) onClose();
  };
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (pending || (word !== undefined && typed.trim() !== word)) return;
    setPending(true);
    setProblem(undefined);
    try {
      await action();
      onClose();
    } catch (error) {
      setProblem(describe(error));
    } finally {
      setPending(false);
    }
  };
  return (
    <Modal opened={opened} onClose={close} title={title} centered closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={(event) => void submit(event)} className={classes.form}>
        <FormProblem problem={problem} />
        {what.length === 1 ? (
          <p className={classes.sentence}>{what[0]}</p>
        ) : (
          <ul className={classes.what}>
            {what.map((sentence, index) => (
              <li key={index}>{sentence}</li>
            ))}
          </ul>
        )}
        {children}
        {word !== undefined && (
          <TextInput
            label={`Type ${word} to go on`}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            spellCheck={false}
            data-autofocus
          />
        )}
        <Group justify="flex-end" gap="sm">
          {/* What destroys something is never what Enter does by accident. */}
          <Button variant="default" onClick={close} disabled={pending} data-autofocus={(danger && word === undefined) || undefined}>
            Cancel
          </Button>
          <Button
            type="submit"
            {...(danger ? { color: "red" } : {})}
            loading={pending}
            disabled={word !== undefined && typed.trim() !== word}
            data-autofocus={(!danger && word === undefined) || undefined}
          >
            {confirm}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}

/** Asks one question at a time. Render the dialog once. */
export function useConfirm(): readonly [ask: (question: Question) => void, dialog: ReactNode] {
  const [question, setQuestion] = useState<Question>();
  const [opened, setOpened] = useState(false);
  const ask = useCallback((next: Question) => {
    setQuestion(next);
    setOpened(true);
  }, []);
  const dialog = question === undefined ? null : <Confirm {...question} opened={opened} onClose={() => setOpened(false)} />;
  return [ask, dialog];
}
