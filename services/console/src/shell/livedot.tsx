import { Tooltip } from "@mantine/core";
import type { ReactNode } from "react";
import { useCaller } from "../api/caller";
import { useLive } from "../live/events";
import { StatusBadge, type Tone } from "../parts/status";

const words: Record<ReturnType<typeof useLive>["link"]["state"], { tone: Tone; word: string; text: string }> = {
  connecting: { tone: "idle", word: "Connecting", text: "Live updates begin in a moment." },
  live: { tone: "good", word: "Live", text: "What changes is shown as it changes." },
  lost: { tone: "warning", word: "Not live", text: "Live updates stopped. The console tries to connect again." },
};

/** Says whether what is shown follows what happens. Callers of one account get no events. */
export function LiveDot(): ReactNode {
  const { link } = useLive();
  const caller = useCaller();
  if (caller.accountId !== "") return null;
  const { tone, word, text } = words[link.state];
  return (
    <Tooltip label={text}>
      <span role="status" aria-live="polite">
        <StatusBadge tone={tone} quiet>
          {word}
        </StatusBadge>
      </span>
    </Tooltip>
  );
}
