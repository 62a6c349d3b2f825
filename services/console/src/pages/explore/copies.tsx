import { Button } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconCheck, IconCopy, IconTerminal2 } from "@tabler/icons-react";
import type { ReactNode } from "react";

interface CopyButtonProps {
  readonly label: string;
  readonly title: string;
  readonly terminal?: boolean;
  /** Made when it is asked for. */
  readonly text: () => string;
}

export function CopyButton({ label, title, terminal = false, text }: CopyButtonProps): ReactNode {
  const { copied, copy } = useClipboard({ timeout: 1500 });
  const Icon = copied ? IconCheck : terminal ? IconTerminal2 : IconCopy;
  return (
    <Button variant="default" size="compact-sm" title={title} leftSection={<Icon size={14} aria-hidden />} onClick={() => copy(text())}>
      <span aria-live="polite">{copied ? "Copied" : label}</span>
    </Button>
  );
}
