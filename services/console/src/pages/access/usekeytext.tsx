import { type ReactNode, useCallback, useState } from "react";
import { KeyText, type ShownKey } from "./keytext";

/**
 * Shows the text of a new key, once. It is held in the state of this component alone: not in the address, a storage, a cache of queries or
 * a notification; and nowhere once somebody said that it is kept.
 */
export function useKeyText(): readonly [show: (key: ShownKey) => void, dialog: ReactNode] {
  const [key, setKey] = useState<ShownKey>();
  const forget = useCallback(() => setKey(undefined), []);
  return [setKey, key === undefined ? null : <KeyText shown={key} onKept={forget} />];
}
