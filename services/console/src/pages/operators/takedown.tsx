import type { Operator } from "@gen/operators/v1/operator_pb";
import { type ReactNode } from "react";
import { Confirm } from "../../parts/confirm";
import { Consequences } from "./consequences";
import type { StatusChanges, Takedown } from "./usestatus";

interface TakedownProps {
  /** "" is closed. */
  readonly takedown: Takedown | "";
  readonly onClose: () => void;
  readonly operator: Operator;
  readonly changes: StatusChanges;
  /** Reads the operator again after a refusal. */
  readonly onRefused: () => void;
}

interface Text {
  readonly title: string;
  readonly confirm: string;
  readonly what: readonly string[];
  /** How it comes back, if it can. */
  readonly back?: string;
}

const texts: Readonly<Record<Takedown, Text>> = {
  suspend: {
    title: "Suspend",
    confirm: "Suspend",
    what: ["Engines stop selecting it at once; messages that it took already are not touched."],
    back: "Nothing is lost: Activate brings it back as it is.",
  },
  deactivate: {
    title: "Deactivate",
    confirm: "Deactivate",
    what: ["Engines stop selecting it at once and its sessions end.", "It keeps its rates and rules."],
    back: "It keeps its password too: Activate brings it back.",
  },
  delete: {
    title: "Delete",
    confirm: "Delete",
    what: [
      "Engines stop selecting it at once, its sessions end and its password is removed.",
      "Rules that name it stay and no longer select it. Its name and connection are free again.",
      "This cannot be undone.",
    ],
  },
};

/** Asks before an operator goes out of use, and shows what that does to the routes. */
export function TakedownDialog({ takedown, onClose, operator, changes, onRefused }: TakedownProps): ReactNode {
  if (takedown === "") return null;
  const { title, confirm, what, back } = texts[takedown];
  const { operatorId, etag, name } = operator;
  const act = async (): Promise<void> => {
    try {
      await changes[takedown].send({ operatorId, etag });
    } catch (error) {
      // With what it is now the next try may be allowed.
      onRefused();
      throw error;
    }
  };
  return (
    <Confirm
      opened
      onClose={onClose}
      title={`${title} ${name}?`}
      what={back === undefined ? what : [...what, operator.hasCredentials ? back : "It has no password: it cannot be activated again before it gets one."]}
      confirm={confirm}
      danger
      {...(takedown === "delete" ? { word: name } : {})}
      action={act}
    >
      <Consequences operator={operator} check={changes[takedown].check} takedown={takedown} />
    </Confirm>
  );
}
