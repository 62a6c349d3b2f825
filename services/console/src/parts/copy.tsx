import { ActionIcon, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { VisuallyHidden } from "@mantine/core";

/** Copies the value and says so. */
export function Copy({ value, label = "Copy" }: { readonly value: string; readonly label?: string }): ReactNode {
  const clipboard = useClipboard({ timeout: 1500 });
  return (
    <>
      <Tooltip label={clipboard.copied ? "Copied" : label}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="sm"
          aria-label={label}
          onClick={(event) => {
            event.stopPropagation();
            clipboard.copy(value);
          }}
        >
          {clipboard.copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
        </ActionIcon>
      </Tooltip>
      <VisuallyHidden aria-live="polite">{clipboard.copied ? "Copied" : ""}</VisuallyHidden>
    </>
  );
}
