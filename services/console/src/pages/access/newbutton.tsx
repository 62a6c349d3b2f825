import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import type { ReactNode } from "react";

interface NewButtonProps {
  readonly label: string;
  readonly onClick: () => void;
}

/** The action of a tab; the shortcut n presses it. */
export function NewButton({ label, onClick }: NewButtonProps): ReactNode {
  return (
    <Button data-shortcut="new" leftSection={<IconPlus size={16} aria-hidden />} onClick={onClick}>
      {label}
    </Button>
  );
}
