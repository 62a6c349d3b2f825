import { Kbd as MantineKbd } from "@mantine/core";
import { Fragment, type ReactNode } from "react";

const mac = typeof navigator !== "undefined" && /mac|iphone|ipad/i.test(navigator.userAgent);
const words: Readonly<Record<string, string>> = {
  mod: mac ? "⌘" : "Ctrl",
  shift: mac ? "⇧" : "Shift",
  alt: mac ? "⌥" : "Alt",
  enter: "Enter",
  escape: "Esc",
};

/** "mod+K" as keys at once, "g o" as keys one after the other. */
export function Kbd({ keys }: { readonly keys: string }): ReactNode {
  return (
    <span>
      {keys.split(" ").map((chord, at) => (
        <Fragment key={at}>
          {at > 0 && " then "}
          {chord.split("+").map((key, place) => (
            <Fragment key={key}>
              {place > 0 && " + "}
              <MantineKbd size="xs">{words[key.toLowerCase()] ?? key}</MantineKbd>
            </Fragment>
          ))}
        </Fragment>
      ))}
    </span>
  );
}
