import { Button } from "@mantine/core";
import { useForm } from "@mantine/form";
import { callUnaryMethod, useTransport } from "@connectrpc/connect-query";
import type { Account } from "@gen/access/v1/account_pb";
import { AccountService } from "@gen/access/v1/account_service_pb";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { useChange } from "../../parts/change";
import { useViolations } from "../../parts/fields";
import { FormProblem } from "../../parts/formproblem";
import { useLeaveGuard } from "../../parts/leave";
import { Merge } from "../../parts/merge";
import { useMergedEdit } from "../../parts/mergededit";
import classes from "./access.module.css";
import { AccountFields } from "./accountfields";
import { type AccountValues, complaints, maskOf, mergeFields, tidy, valuesOf } from "./accountvalues";

interface EditAccountProps {
  readonly account: Account;
  readonly onDirty: (dirty: boolean) => void;
  readonly onCancel: () => void;
  readonly onDone: () => void;
}

const { getAccount, updateAccount } = AccountService.method;

export function EditAccount({ account, onDirty, onCancel, onDone }: EditAccountProps): ReactNode {
  const transport = useTransport();
  // As it was when the form opened: what comes later is somebody else's change.
  const [base] = useState(account);
  const [saved, setSaved] = useState(false);
  const before = valuesOf(base);
  const form = useForm<AccountValues>({ initialValues: before, validate: complaints, validateInputOnBlur: true });
  const undo = useChange(updateAccount);
  const update = useChange(updateAccount, {
    done: (answer) => `${answer.account?.name ?? "The account"} was changed.`,
    undo: (answer, input) => {
      const { accountId = "", etag = "" } = answer.account ?? {};
      const paths = input.updateMask?.paths ?? [];
      const former = valuesOf(edit.theirs ?? base);
      return () => undo.send({ account: { ...former, accountId, etag }, updateMask: { paths } });
    },
    onDone: () => setSaved(true),
  });
  const edit = useMergedEdit(update.problem, async () => {
    const { account: now } = await callUnaryMethod(transport, getAccount, { accountId: base.accountId });
    return now;
  });
  // The same object while it is shown: Merge forgets the choices when theirs changes.
  const newest = useMemo(() => edit.theirs && valuesOf(edit.theirs), [edit.theirs]);
  const rest = useViolations(form, update.problem, { root: "account" });
  const changed = maskOf(before, form.values);
  const dirty = changed.length > 0 && !saved;
  const guard = useLeaveGuard(dirty);
  useEffect(() => {
    onDirty(dirty);
  }, [dirty, onDirty]);
  // After the guard has let go.
  useEffect(() => {
    if (saved) onDone();
  }, [saved, onDone]);

  const request = (values: AccountValues, from: Account) => ({
    account: { ...tidy(values), accountId: base.accountId, etag: from.etag },
    updateMask: { paths: maskOf(valuesOf(from), values) },
  });
  const submit = form.onSubmit((values) => {
    void edit.save(() => update.send(request(values, base)));
  });
  const merge = (merged: AccountValues): Promise<unknown> =>
    edit.merge(async (theirs) => {
      const next = request(merged, theirs);
      if (next.updateMask.paths.length === 0) setSaved(true);
      else await update.send(next);
    });
  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      {guard}
      <FormProblem problem={edit.problem} rest={rest} />
      <AccountFields form={form} />
      <div className={classes.foot}>
        <Button variant="default" onClick={onCancel} disabled={update.pending}>
          Cancel
        </Button>
        <Button type="submit" loading={update.pending} disabled={changed.length === 0}>
          Save changes
        </Button>
      </div>
      {newest !== undefined && (
        <Merge
          opened
          onClose={edit.close}
          subject={`account ${newest.name}`}
          base={before}
          mine={tidy(form.values)}
          theirs={newest}
          fields={mergeFields}
          onMerge={merge}
        />
      )}
    </form>
  );
}
