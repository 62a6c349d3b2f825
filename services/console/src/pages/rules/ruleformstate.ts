import { useCallback, useMemo, useRef, useState } from "react";
import type { RuleValues } from "./ruleform";

/** What the parts of the editor share. */
export interface RuleForm {
  readonly values: RuleValues;
  /** By path, such as candidates.0.weight. */
  readonly errors: Readonly<Record<string, string>>;
  /** Complaints about what changes are dropped: they were about the former value. */
  readonly change: (part: Partial<RuleValues>) => void;
  readonly setErrors: (errors: Record<string, string>) => void;
  /** The values now, also within the event that changed them. */
  readonly getValues: () => RuleValues;
}

export function useRuleForm(initial: RuleValues): RuleForm {
  const [values, setValues] = useState(initial);
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  const now = useRef(initial);
  const change = useCallback((part: Partial<RuleValues>) => {
    now.current = { ...now.current, ...part };
    setValues(now.current);
    setErrors((former) => {
      const kept = Object.entries(former).filter(([path]) => !((path.split(".")[0] ?? "") in part));
      return kept.length === Object.keys(former).length ? former : Object.fromEntries(kept);
    });
  }, []);
  const getValues = useCallback(() => now.current, []);
  return useMemo(() => ({ values, errors, change, setErrors, getValues }), [values, errors, change, getValues]);
}
