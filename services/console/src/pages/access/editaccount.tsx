import { Button } from "@mantine/core";
import { useForm } from "@mantine/form";
import { callUnaryMethod, useTransport } from "@connectrpc/connect-query";
import type { Account } from "@gen/access/v1/account_pb";
import { AccountService } from "@gen/access/v1/account_service_pb";
import { type ReactNode, useEffect, useState } from "react";
import { describe } from "../../api/errors";
import { useChange } from "../../parts/change";
import { useViolations } from "../../parts/fields";
import { FormProblem } from "../../parts/formproblem";
import { useLeaveGuard } from "../../parts/leave";
import { isConflict, Merge } from "../../parts/merge";
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
  const [theirs, setTheirs] = useState<Account>();
  const [saved, setSaved] = useState(false);
  const before = valuesOf(base);
  const form = useForm<AccountValues>({ initialValues: before, validate: complaints, validateInputOnBlur: true });
  const undo = useChange(updateAccount);
  const update = useChange(updateAccount, {
    done: (answer) => `${answer.account?.name ?? "The account"} was changed.`,
    undo: (answer, input) => {
      const { accountId = "", etag = "" } = answer.account ?? {};
      const paths = input.updateMask?.paths ?? [];
      const former = valuesOf(theirs ?? base);
      return () => undo.send({ account: { ...former, accountId, etag }, updateMask: { paths } });
    },
    onDone: () => setSaved(true),
  });
  const conflict = isConflict(update.problem);
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
  const readTheirs = async (): Promise<void> => {
    const { account: now } = await callUnaryMethod(transport, getAccount, { accountId: base.accountId });
    setTheirs(now);
  };
  const submit = form.onSubmit((values) => {
    update.send(request(values, base)).catch((error: unknown) => {
      if (isConflict(describe(error))) void readTheirs();
    });
  });
  const merge = async (merged: AccountValues): Promise<void> => {
    if (theirs === undefined) return;
    const next = request(merged, theirs);
    if (next.updateMask.paths.length === 0) {
      setSaved(true);
      return;
    }
    try {
      await update.send(next);
    } catch (error) {
      // Changed once more meanwhile: the newest version is theirs now.
      if (isConflict(describe(error))) await readTheirs();
      throw error;
    }
  };
  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      {guard}
      {!conflict && <FormProblem problem={update.problem} rest={rest} />}
      <AccountFields form={form} />
      <div className={classes.foot}>
        <Button variant="default" onClick={onCancel} disabled={update.pending}>
          Cancel
        </Button>
        <Button type="submit" loading={update.pending} disabled={changed.length === 0}>
          Save changes
        </Button>
      </div>
      {theirs !== undefined && (
        <Merge
          opened
          onClose={() => setTheirs(undefined)}
          subject={`account ${theirs.name}`}
          base={before}
          mine={tidy(form.values)}
          theirs={valuesOf(theirs)}
          fields={mergeFields}
          onMerge={merge}
        />
      )}
    </form>
  );
}
