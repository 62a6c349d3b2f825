import { Button, Menu } from "@mantine/core";
import type { Operator } from "@gen/operators/v1/operator_pb";
import { IconChevronDown, IconPencil, IconPlayerPlay } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { movesFrom, type StatusChanges, type Takedown } from "./usestatus";
import { useActivate } from "./useactivate";

interface ActionsProps {
  readonly operator: Operator;
  readonly changes: StatusChanges;
  readonly onEdit: () => void;
  readonly onTakedown: (takedown: Takedown) => void;
  readonly onRotate: () => void;
}

const words: Readonly<Record<Takedown, string>> = { suspend: "Suspend…", deactivate: "Deactivate…", delete: "Delete…" };

/** What can be done with an operator as it is. */
export function Actions({ operator, changes, onEdit, onTakedown, onRotate }: ActionsProps): ReactNode {
  const moves = movesFrom(operator.status);
  const activate = useActivate(operator, changes);
  return (
    <>
      {moves.activate && (
        <Button
          leftSection={<IconPlayerPlay size={16} aria-hidden />}
          loading={changes.activate.pending}
          disabled={!operator.hasCredentials}
          title={operator.hasCredentials ? undefined : "It needs a password first"}
          onClick={activate}
        >
          Activate
        </Button>
      )}
      <Button variant="default" leftSection={<IconPencil size={16} aria-hidden />} onClick={onEdit}>
        Edit
      </Button>
      {moves.takedowns.includes("suspend") && (
        <Button variant="default" onClick={() => onTakedown("suspend")}>
          {words.suspend}
        </Button>
      )}
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <Button variant="default" rightSection={<IconChevronDown size={16} aria-hidden />}>
            More
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={onRotate}>Rotate credentials</Menu.Item>
          <Menu.Divider />
          {moves.takedowns
            .filter((one) => one !== "suspend")
            .map((one) => (
              <Menu.Item key={one} onClick={() => onTakedown(one)} {...(one === "delete" ? { color: "red" } : {})}>
                {words[one]}
              </Menu.Item>
            ))}
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
