import { Code, ConnectError } from "@connectrpc/connect";
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import { describe } from "../api/errors";
import { visit } from "../api/session";
import classes from "./notify.module.css";

/** How long an undo is offered, in milliseconds. */
export const undoTime = 10_000;

/** Says that something was done; with undo for 10 s, and only by who did it. */
export function notifyDone(text: string, undo?: () => Promise<unknown>): void {
  const caller = visit();
  const takeBack = (): Promise<unknown> => {
    if (undo === undefined) return Promise.resolve();
    if (visit() === caller) return undo();
    return Promise.reject(new ConnectError("You were signed in otherwise when this was done. Change it back by hand.", Code.FailedPrecondition));
  };
  const id = notifications.show({
    message:
      undo === undefined ? (
        <span className={classes.text}>{text}</span>
      ) : (
        <span className={classes.line}>
          <span className={classes.text}>{text}</span>
          <Button
            size="compact-sm"
            variant="light"
            className={classes.undo ?? ""}
            onClick={() => {
              notifications.hide(id);
              takeBack().then(
                () => notifyDone("Undone."),
                (error: unknown) => notifyFailed("It could not be undone", error),
              );
            }}
          >
            Undo
          </Button>
        </span>
      ),
    icon: <IconCheck size={16} aria-hidden />,
    color: "teal",
    autoClose: undo === undefined ? 5_000 : undoTime,
    withBorder: true,
  });
}

/** For what nobody waits for in a form or dialog. */
export function notifyFailed(title: string, error: unknown): void {
  const problem = describe(error);
  notifications.show({
    title,
    message: problem.message,
    icon: <IconAlertTriangle size={16} aria-hidden />,
    color: "red",
    autoClose: false,
    withBorder: true,
  });
}
