import { Button, Group, Modal } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useLeaveGuard } from "../../parts/leave";
import classes from "./access.module.css";

export interface ShownKey {
  readonly name: string;
  /** Empty when the answer was that to a repeat: the server does not know the text any more. */
  readonly text: string;
}

interface KeyTextProps {
  readonly shown: ShownKey;
  readonly onKept: () => void;
}

/** Neither Esc nor a click beside it closes the dialog: what is shown here is not shown again. */
export function KeyText({ shown: { name, text }, onKept }: KeyTextProps): ReactNode {
  const guard = useLeaveGuard(text !== "");
  const clipboard = useClipboard({ timeout: 4000 });
  if (text === "") {
    return (
      <Modal opened onClose={onKept} title={`${name} was made, but cannot be shown`} centered closeButtonProps={{ "aria-label": "Close" }}>
        <div className={classes.stack}>
          <p className={classes.prose}>
            The first answer was lost on its way, and the text of a key is told once only. Nobody can use this key: revoke it, and make another one.
          </p>
          <Group justify="flex-end">
            <Button onClick={onKept} data-autofocus>
              I have understood
            </Button>
          </Group>
        </div>
      </Modal>
    );
  }
  return (
    <>
      <Modal
        opened
        onClose={() => undefined}
        closeOnEscape={false}
        closeOnClickOutside={false}
        withCloseButton={false}
        title={`The key ${name}`}
        size="lg"
        centered
        // Nothing of it stays while a dialog fades.
        transitionProps={{ duration: 0 }}
      >
        <div className={classes.stack}>
          <p className={classes.prose}>
            This is the only time that it is shown. Put it where its server or script reads it, such as a file that only that reads, or a vault.
          </p>
          <code className={classes.secret} aria-label="Text of the key" tabIndex={0}>
            {text}
          </code>
          <p role="status" className={classes.ends}>
            {clipboard.copied && "Copied. Other programs can read the clipboard: copy something else when you are done."}
            {clipboard.error !== null && "The browser does not let this page copy. Select the text and copy it by hand."}
          </p>
          <Group justify="flex-end" gap="sm">
            <Button
              variant="default"
              leftSection={clipboard.copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
              onClick={() => clipboard.copy(text)}
              data-autofocus
            >
              Copy
            </Button>
            <Button onClick={onKept}>I have kept it</Button>
          </Group>
        </div>
      </Modal>
      {guard}
    </>
  );
}
