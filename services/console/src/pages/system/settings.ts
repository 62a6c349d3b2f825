import type { Setting } from "@gen/operators/v1/system_pb";

/** What the server gives in place of a secret. */
const redacted = "[redacted]";

export function hidden({ value }: Pick<Setting, "value">): boolean {
  return value === redacted;
}

/** Whether somebody set it, by flag, environment or file. */
export function changed({ origin }: Pick<Setting, "origin">): boolean {
  return origin !== "default";
}

/** Settings whose key, value or origin holds every word of the search. */
export function matching<T extends Pick<Setting, "key" | "value" | "origin">>(all: readonly T[], search: string, changedOnly: boolean): readonly T[] {
  const words = search.toLowerCase().split(/\s+/).filter((word) => word !== "");
  return all.filter((one) => {
    if (changedOnly && !changed(one)) return false;
    const text = `${one.key} ${hidden(one) ? "hidden" : one.value} ${one.origin}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
