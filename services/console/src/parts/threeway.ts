/** Who changed a field since the form opened. */
export type Side = "same" | "mine" | "theirs" | "both" | "conflict";
export type Choice = "mine" | "theirs";

export function threeWay<V extends object>(base: V, mine: V, theirs: V, names: readonly (keyof V & string)[]): Partial<Record<string, Side>> {
  const found: Partial<Record<string, Side>> = {};
  for (const name of names) {
    const byMe = !same(base[name], mine[name]);
    const byThem = !same(base[name], theirs[name]);
    if (byMe && byThem) found[name] = same(mine[name], theirs[name]) ? "both" : "conflict";
    else found[name] = byMe ? "mine" : byThem ? "theirs" : "same";
  }
  return found;
}

/** Theirs, with the fields that only I changed and those where mine was chosen. A conflict that nobody decided keeps theirs. */
export function mergeOf<V extends object>(
  base: V,
  mine: V,
  theirs: V,
  names: readonly (keyof V & string)[],
  choices: Partial<Record<string, Choice>>,
): V {
  const sides = threeWay(base, mine, theirs, names);
  const merged = { ...theirs };
  for (const name of names) {
    const side = sides[name];
    if (side === "mine" || (side === "conflict" && choices[name] === "mine")) merged[name] = mine[name];
  }
  return merged;
}

/** Whether two values are the same: texts, numbers, bigints, lists and messages of them. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  const one = a as Readonly<Record<string, unknown>>;
  const other = b as Readonly<Record<string, unknown>>;
  return [...keys].every((key) => same(one[key], other[key]));
}
