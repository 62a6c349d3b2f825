export type Change = "added" | "removed" | "changed" | "same";

/** One field of what a row is about, before and after. */
export interface FieldChange {
  /** Such as tps_limit.max_tps or candidates[0].weight. */
  readonly path: string;
  readonly change: Change;
  /** As text; undefined where there was none. */
  readonly before?: string;
  readonly after?: string;
}

/**
 * The fields of two JSON texts, those of before first and in their order. An empty text is nothing at all. undefined when one of them is
 * no JSON.
 */
export function difference(before: string, after: string): readonly FieldChange[] | undefined {
  const was = fieldsOf(before);
  const is = fieldsOf(after);
  if (was === undefined || is === undefined) return undefined;
  return [...new Set([...was.keys(), ...is.keys()])].map((path) => {
    const [one, other] = [was.get(path), is.get(path)];
    const change: Change = one === undefined ? "added" : other === undefined ? "removed" : one === other ? "same" : "changed";
    return { path, change, ...(one === undefined ? {} : { before: one }), ...(other === undefined ? {} : { after: other }) };
  });
}

function fieldsOf(json: string): Map<string, string> | undefined {
  const fields = new Map<string, string>();
  if (json === "") return fields;
  try {
    JSON.parse(json);
  } catch {
    return undefined;
  }
  collect("", JSON.parse(asWritten(json)), fields);
  return fields;
}

/** Numbers of good JSON as texts: one of 64 bits would lose digits. Texts are matched too, so that digits in them stay. */
function asWritten(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) => (token.startsWith('"') ? token : `"${token}"`));
}

/** Objects are gone into, and so are lists that hold objects; a list of plain values is one value. */
function collect(path: string, value: unknown, into: Map<string, string>): void {
  if (Array.isArray(value)) {
    if (value.length > 0 && value.every(plain)) into.set(path, value.map(textOf).join(", "));
    else if (value.length === 0) into.set(path, "(empty list)");
    else value.forEach((item, index) => collect(`${path}[${String(index)}]`, item, into));
    return;
  }
  if (plain(value)) {
    into.set(path === "" ? "value" : path, textOf(value));
    return;
  }
  for (const [name, inner] of Object.entries(value as object)) collect(path === "" ? name : `${path}.${name}`, inner, into);
}

function plain(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

function textOf(value: unknown): string {
  return value === "" ? "(empty)" : String(value);
}
