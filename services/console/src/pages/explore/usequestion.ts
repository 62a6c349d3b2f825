import { useDebouncedValue } from "@mantine/hooks";
import { useEffect, useMemo, useRef, useState } from "react";
import { useCaller } from "../../api/caller";
import { typeOf } from "../../parts/messagetype";
import { type How, useHashNumber, useListParam, useParams } from "../../parts/params";
import { numberComplaint, prefixComplaint, tidied } from "../../parts/prefixinput";
import { isId, mostExcluded, nobody, type Question } from "./question";

/** Milliseconds without typing before the number counts. */
const rest = 150;

export interface Asking {
  /** As it stands in the field. */
  readonly text: string;
  readonly setText: (text: string) => void;
  /** Takes effect at once, as a link would. */
  readonly setNumber: (number: string) => void;
  /** What there is of the number, from one digit on; "" when it is none. */
  readonly digits: string;
  readonly account: string;
  readonly setAccount: (id: string) => void;
  readonly type: string;
  readonly setType: (type: string) => void;
  readonly exclude: readonly string[];
  readonly setExclude: (ids: readonly string[], how?: How) => void;
  /** Given when there is enough to ask. */
  readonly question: Question | undefined;
}

/** The question of the page: the number in the fragment, the rest in the query string. */
export function useAsking(): Asking {
  const { accountId: bound } = useCaller();
  const [digits, setDigits] = useHashNumber();
  const [{ account, type }, setParams] = useParams({ account: "", type: "SMS" });
  const [listed, setExclude] = useListParam("exclude");
  const [text, setText] = useState(digits);
  const known = useRef(digits);

  // A link, Back or the history wins over what was typed.
  useEffect(() => {
    if (digits === known.current) return;
    known.current = digits;
    setText(digits);
  }, [digits]);

  const [settled] = useDebouncedValue(text, rest);
  useEffect(() => {
    const tidy = tidied(settled);
    const next = prefixComplaint(tidy) === null ? tidy : "";
    if (next === known.current) return;
    known.current = next;
    setDigits(next);
    // Only what was typed is written; what comes from the address is there already.
  }, [settled, setDigits]);

  const exclude = useMemo(() => listed.filter(isId).slice(0, mostExcluded), [listed]);
  const accountId = bound !== "" ? bound : account !== "" ? account : nobody;
  const question = useMemo(
    () => (numberComplaint(digits) === null ? { to: digits, accountId, type: typeOf(type), exclude } : undefined),
    [digits, accountId, type, exclude],
  );
  return {
    text,
    setText,
    setNumber: (number) => setDigits(number),
    digits,
    account: bound === "" ? account : bound,
    setAccount: (id) => setParams({ account: id }),
    type,
    setType: (next) => setParams({ type: next }),
    exclude,
    setExclude,
    question,
  };
}
