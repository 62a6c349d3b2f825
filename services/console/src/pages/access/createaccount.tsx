import { Button } from "@mantine/core";
import { useForm } from "@mantine/form";
import { AccountService } from "@gen/access/v1/account_service_pb";
import { type ReactNode, useEffect, useState } from "react";
import { useChange } from "../../parts/change";
import { Drawer, useDrawer } from "../../parts/drawer";
import { useViolations } from "../../parts/fields";
import { FormProblem } from "../../parts/formproblem";
import { useLeaveGuard } from "../../parts/leave";
import classes from "./access.module.css";
import { AccountFields } from "./accountfields";
import { type AccountValues, blankAccount, complaints, tidy } from "./accountvalues";
import { useDiscard } from "./discard";

interface NewAccountProps {
  readonly opened: boolean;
  readonly onClose: () => void;
}

export function NewAccount({ opened, onClose }: NewAccountProps): ReactNode {
  const [close, setDirty, dialog] = useDiscard(onClose, "Throw away the new account?");
  return (
    <>
      <Drawer id={opened ? "new" : ""} onClose={close} title="New account" size={520}>
        {() => <Form onDirty={setDirty} onCancel={close} onClose={onClose} />}
      </Drawer>
      {dialog}
    </>
  );
}

interface FormProps {
  readonly onDirty: (dirty: boolean) => void;
  readonly onCancel: () => void;
  readonly onClose: () => void;
}

function Form({ onDirty, onCancel, onClose }: FormProps): ReactNode {
  const drawer = useDrawer("account", ["edit"]);
  const form = useForm<AccountValues>({ initialValues: blankAccount, validate: complaints, validateInputOnBlur: true });
  const [created, setCreated] = useState("");
  const create = useChange(AccountService.method.createAccount, {
    done: ({ account }) => `${account?.name ?? "The account"} was created.`,
    onDone: ({ account }) => setCreated(account?.accountId ?? ""),
  });
  const rest = useViolations(form, create.problem, { root: "account" });
  const dirty = form.isDirty() && created === "";
  const guard = useLeaveGuard(dirty);
  useEffect(() => {
    onDirty(dirty);
  }, [dirty, onDirty]);
  useEffect(() => {
    if (created === "") return;
    onClose();
    drawer.open(created);
    // Once: drawer is new with every render.
  }, [created]);
  return (
    <form className={classes.form} onSubmit={form.onSubmit((values) => void create.run({ account: tidy(values) }))} noValidate>
      {guard}
      <FormProblem problem={create.problem} rest={rest} />
      <AccountFields form={form} />
      <div className={classes.foot}>
        <Button variant="default" onClick={onCancel} disabled={create.pending}>
          Cancel
        </Button>
        <Button type="submit" loading={create.pending}>
          Create account
        </Button>
      </div>
    </form>
  );
}
