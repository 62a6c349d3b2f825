import { useEffect, useMemo } from "react";
import type { Problem, Violation } from "../api/errors";

interface Binding {
  /** The message of the request that the form edits, such as operator. */
  readonly root?: string;
  /** From proto paths without root, in proto or JSON names, to form paths, where the names differ. */
  readonly paths?: Readonly<Record<string, string>>;
}

interface Bound {
  readonly errors: Readonly<Record<string, string>>;
  /** What no field of the form shows. */
  readonly rest: readonly Violation[];
}

/** Proto paths to form paths: operator.tps_limit.max_tps is tpsLimit.maxTps, rule.candidates[1].price is candidates.1.price. */
export function violated(
  problem: Problem | undefined,
  { root = "", paths = {}, known }: Binding & { readonly known: readonly string[] },
): Bound {
  const errors: Record<string, string> = {};
  const rest: Violation[] = [];
  // The server names fields as in JSON, whatever names the form gives here.
  const renamed = new Map(Object.entries(paths).map(([from, to]) => [formPath(from), to]));
  for (const violation of problem?.violations ?? []) {
    const inner = root !== "" && violation.field.startsWith(`${root}.`) ? violation.field.slice(root.length + 1) : violation.field;
    const path = renamed.get(formPath(inner)) ?? formPath(inner);
    const field = nearest(path, known);
    if (field === undefined) rest.push(violation);
    else errors[field] = errors[field] === undefined ? violation.message : `${errors[field]} ${violation.message}`;
  }
  return { errors, rest };
}

function formPath(path: string): string {
  return path.replace(/\[(\d+)\]/g, ".$1").replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The field itself, or the one that holds it: a form may edit price.currency_code by one input, price. */
function nearest(path: string, known: readonly string[]): string | undefined {
  for (let at = path; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) if (known.includes(at)) return at;
  return undefined;
}

/** Every path of the values of a form, those of objects and lists too. */
export function pathsOf(values: unknown, before = ""): string[] {
  if (typeof values !== "object" || values === null || values instanceof Date || values instanceof File) return [];
  return Object.entries(values).flatMap(([name, value]) => [`${before}${name}`, ...pathsOf(value, `${before}${name}.`)]);
}

interface Form {
  getValues(): object;
  setErrors(errors: Record<string, string>): void;
}

const none: readonly Violation[] = [];

/** Shows the violations of a problem at their fields whenever the problem changes; gives those that have no field. */
export function useViolations(form: Form, problem: Problem | undefined, binding: Binding = {}): readonly Violation[] {
  const bound = useMemo(
    () => (problem === undefined ? undefined : violated(problem, { ...binding, known: pathsOf(form.getValues()) })),
    // Bound once a problem: values that change later do not move its violations.
    [problem],
  );
  useEffect(() => {
    if (bound !== undefined) form.setErrors({ ...bound.errors });
  }, [bound]);
  return bound?.rest ?? none;
}
