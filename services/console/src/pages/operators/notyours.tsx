import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { useCaller } from "../../api/caller";
import { roleWord } from "../../parts/words";
import { Note } from "./note";

interface NotYoursProps {
  /** What the link was for: "To make operators". */
  readonly deed: string;
  readonly onClose: () => void;
}

/** Answers a link to something that the caller's role may not do. */
export function NotYours({ deed, onClose }: NotYoursProps): ReactNode {
  const { role } = useCaller();
  return (
    <Note
      tone="idle"
      action={
        <Button size="compact-sm" variant="default" onClick={onClose}>
          Close
        </Button>
      }
    >
      {deed} takes the role operator; yours is {roleWord(role)}. Send the link to somebody who may, or sign in with another key.
    </Note>
  );
}
