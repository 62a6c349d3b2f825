import { type ReactNode, useCallback, useState } from "react";
import { useConfirm } from "../../parts/confirm";

/** Asks before a form is closed in which something was typed. */
export function useDiscard(onClose: () => void, title: string): readonly [close: () => void, setDirty: (dirty: boolean) => void, dialog: ReactNode] {
  const [dirty, setDirty] = useState(false);
  const [ask, dialog] = useConfirm();
  const close = useCallback(() => {
    if (!dirty) {
      onClose();
      return;
    }
    ask({
      title,
      what: ["What you typed is not saved."],
      confirm: "Throw away",
      danger: true,
      action: async () => {
        setDirty(false);
        onClose();
      },
    });
  }, [dirty, onClose, ask, title]);
  return [close, setDirty, dialog];
}
