import type { ReactNode } from "react";
import { useCaller } from "../api/caller";

/** "key 9ba55d80" for key:9ba55d80-…; other names as they are. */
export function shortName(name: string): string {
  const id = /^key:([0-9a-f]{8})-[0-9a-f-]{27}$/.exec(name)?.[1];
  return id === undefined ? name : `key ${id}`;
}

/** Who did something, as the audit log calls it; all of it in the title. */
export function Who({ name }: { readonly name: string }): ReactNode {
  const caller = useCaller();
  if (name === "") return <span aria-label="nobody">–</span>;
  const text = shortName(name);
  return <span title={name}>{name === caller.name ? "you" : text}</span>;
}
