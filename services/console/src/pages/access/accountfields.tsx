import { Textarea, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import type { ReactNode } from "react";
import type { AccountValues } from "./accountvalues";

export function AccountFields({ form }: { readonly form: UseFormReturnType<AccountValues> }): ReactNode {
  return (
    <>
      <TextInput
        label="Name"
        description="Unique among live accounts."
        required
        autoComplete="off"
        data-autofocus
        {...form.getInputProps("name")}
      />
      <Textarea label="Notes" description="For people: a contract, whom to call." autosize minRows={3} maxRows={10} {...form.getInputProps("notes")} />
    </>
  );
}
