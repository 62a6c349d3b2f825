import type { ReleaseEngine } from "@gen/releases/v1/release_pb";
import type { ReactNode } from "react";
import { type EngineWord, engineWord } from "./engines";
import { StatusBadge, type Tone } from "./status";

const words: Readonly<Record<EngineWord, { readonly word: string; readonly tone: Tone }>> = {
  refused: { word: "Refused", tone: "bad" },
  behind: { word: "Behind", tone: "warning" },
  prepared: { word: "Has it ready", tone: "info" },
  serving: { word: "Serving", tone: "good" },
};

/** What an engine does with what is in force. */
export function EngineBadge({ engine }: { readonly engine: ReleaseEngine }): ReactNode {
  const { word, tone } = words[engineWord(engine)];
  return <StatusBadge tone={tone}>{word}</StatusBadge>;
}
