import { Input, SegmentedControl, TextInput } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { useCaller } from "../../api/caller";
import { useAccountNames } from "../../parts/names";
import { numberComplaint, tidied } from "../../parts/prefixinput";
import { typing } from "../../parts/search";
import { AccountField } from "./accountfield";
import { Excluded } from "./excluded";
import classes from "./explore.module.css";
import type { Asking } from "./usequestion";

interface FormProps {
  readonly asking: Asking;
  /** Names of operators, as far as they are known. */
  readonly names: ReadonlyMap<string, string>;
}

/** What is asked: number, account, type, and operators to leave out. */
export function QuestionForm({ asking, names }: FormProps): ReactNode {
  const { accountId: bound } = useCaller();
  return (
    <div className={classes.form}>
      <NumberField asking={asking} />
      {bound === "" ? <AccountField value={asking.account} onChange={asking.setAccount} /> : <OwnAccount id={bound} />}
      <Input.Wrapper label="Message type" labelElement="div">
        <SegmentedControl
          aria-label="Message type"
          fullWidth
          value={asking.type}
          onChange={asking.setType}
          data={[
            { value: "SMS", label: "SMS" },
            { value: "FLASH", label: "Flash" },
            { value: "WAP", label: "WAP" },
          ]}
        />
      </Input.Wrapper>
      <Excluded ids={asking.exclude} names={names} onChange={asking.setExclude} />
    </div>
  );
}

function NumberField({ asking: { text, setText, digits } }: { readonly asking: Asking }): ReactNode {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target)) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    document.addEventListener("keydown", focus);
    return () => document.removeEventListener("keydown", focus);
  }, []);
  // Without a number there is one thing to do here. A telephone would cover half the page with its keys.
  useEffect(() => {
    if (text === "" && matchMedia("(pointer: fine)").matches) input.current?.focus();
    // On opening only: later the focus is the user's.
  }, []);
  // Too short is no mistake while somebody types; a letter is one.
  const wrong = text !== "" && digits === "" && !/^\+?0{0,2}$/.test(tidied(text)) && numberComplaint(tidied(text)) !== null;
  return (
    <TextInput
      ref={input}
      label="Number"
      aria-keyshortcuts="/"
      placeholder="+44 7911 123456"
      description="With country code; spaces, dashes and 00 are fine. The number is not logged."
      inputWrapperOrder={["label", "input", "description", "error"]}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      error={wrong ? "That is no number: + with the country code, and 7 to 15 digits in all." : undefined}
      size="lg"
      inputMode="tel"
      autoComplete="off"
      spellCheck={false}
      classNames={{ root: classes.number ?? "", input: classes.numberInput ?? "", label: classes.fieldLabel ?? "", description: classes.fieldNote ?? "" }}
    />
  );
}

/** A caller that is bound to one account asks for that one. */
function OwnAccount({ id }: { readonly id: string }): ReactNode {
  const { name } = useAccountNames();
  return <TextInput label="Account" value={name(id) ?? id} readOnly description="Your key is bound to it." inputWrapperOrder={["label", "input", "description"]} />;
}
