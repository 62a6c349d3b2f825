import { useForm, type UseFormReturnType } from "@mantine/form";
import { useRef } from "react";
import { complaints, type OperatorValues } from "./values";

/** What the fields of the server are called in the form. */
export const violationPaths: Readonly<Record<string, string>> = {
  "tps_limit.max_tps": "maxTps",
  "tps_limit.burst_multiplier": "burstMultiplier",
  "tps_limit.enforcement_mode": "enforcementMode",
  tps_limit: "maxTps",
};

/** The form of an operator. A field is checked while one types in it, once it was left or refused. */
export function useOperatorForm(initialValues: OperatorValues): UseFormReturnType<OperatorValues> {
  const left = useRef(new Set<string>());
  const form: UseFormReturnType<OperatorValues> = useForm<OperatorValues>({
    initialValues,
    validate: complaints,
    validateInputOnBlur: true,
    onValuesChange: (values, previous) => {
      for (const field of Object.keys(complaints) as (keyof typeof complaints)[]) {
        if (values[field] === previous[field]) continue;
        // A complaint goes as soon as its cause does, and comes back with it; a fresh field is left in peace until its end.
        if (left.current.has(field) || form.errors[field] !== undefined) {
          left.current.add(field);
          form.validateField(field);
        }
      }
    },
  });
  return form;
}
