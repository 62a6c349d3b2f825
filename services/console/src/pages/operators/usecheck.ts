import { useEffect, useRef, useState } from "react";
import { describe, type Problem } from "../../api/errors";

export type Checked<A> =
  | { readonly state: "idle" | "checking" }
  | { readonly state: "fine"; readonly answer: A }
  | { readonly state: "refused"; readonly problem: Problem };

/** Typing has to rest for this long before the server is asked, in milliseconds. */
const rest = 600;

/**
 * Asks the server what it thinks of a form, without changing anything, when typing rests. key names what is asked about; "" asks nothing.
 * An answer to a former question is dropped.
 */
export function useCheck<A>(key: string, ask: () => Promise<A>): Checked<A> {
  const [checked, setChecked] = useState<Checked<A>>({ state: "idle" });
  const now = useRef(ask);
  now.current = ask;
  useEffect(() => {
    if (key === "") {
      setChecked({ state: "idle" });
      return;
    }
    let current = true;
    setChecked({ state: "checking" });
    const timer = setTimeout(() => {
      now.current().then(
        (answer) => {
          if (current) setChecked({ state: "fine", answer });
        },
        (error: unknown) => {
          if (current) setChecked({ state: "refused", problem: describe(error) });
        },
      );
    }, rest);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [key]);
  return checked;
}
