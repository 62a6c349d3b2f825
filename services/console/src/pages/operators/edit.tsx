import { Button } from "@mantine/core";
import { callUnaryMethod, useTransport } from "@connectrpc/connect-query";
import type { Operator } from "@gen/operators/v1/operator_pb";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { useCaller } from "../../api/caller";
import { useChange } from "../../parts/change";
import { useConfirm } from "../../parts/confirm";
import { Drawer } from "../../parts/drawer";
import { useViolations } from "../../parts/fields";
import { FormProblem } from "../../parts/formproblem";
import { useLeaveGuard } from "../../parts/leave";
import { Merge } from "../../parts/merge";
import { useMergedEdit } from "../../parts/mergededit";
import { Who } from "../../parts/who";
import { CheckLine } from "./checkline";
import { DuplicateNote } from "./duplicate";
import { OperatorFields } from "./fields";
import { mergeFields } from "./mergefields";
import { Note } from "./note";
import classes from "./operators.module.css";
import { useCheck } from "./usecheck";
import { useOperatorForm, violationPaths } from "./useform";
import { changedFields, maskOf, operatorOf, type OperatorValues, rebinds, valuesOf } from "./values";
import { Warnings } from "./warnings";

interface EditProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly operator: Operator;
}

export function EditDrawer({ opened, onClose, operator }: EditProps): ReactNode {
  const [dirty, setDirty] = useState(false);
  const [ask, dialog] = useConfirm();
  const close = (): void => {
    if (!dirty) {
      onClose();
      return;
    }
    ask({
      title: "Throw away your changes?",
      what: [`What you changed of ${operator.name} is not saved.`],
      confirm: "Throw away",
      danger: true,
      action: () => {
        setDirty(false);
        onClose();
        return Promise.resolve();
      },
    });
  };
  return (
    <>
      <Drawer id={opened ? operator.operatorId : ""} onClose={close} title={`Edit ${operator.name}`}>
        {(id) => <EditForm key={id} operator={operator} onDirty={setDirty} onCancel={close} onDone={onClose} />}
      </Drawer>
      {dialog}
    </>
  );
}

interface FormProps {
  readonly operator: Operator;
  readonly onDirty: (dirty: boolean) => void;
  readonly onCancel: () => void;
  readonly onDone: () => void;
}

function EditForm({ operator, onDirty, onCancel, onDone }: FormProps): ReactNode {
  const transport = useTransport();
  const caller = useCaller();
  // As it was when the form opened: later versions of the page's operator are somebody else's changes.
  const [base] = useState(operator);
  const [saved, setSaved] = useState(false);
  const before = useMemo(() => valuesOf(base), [base]);
  const form = useOperatorForm(before);
  const undo = useChange(OperatorService.method.updateOperator);
  const update = useChange(OperatorService.method.updateOperator, {
    done: (answer) => `${answer.operator?.name ?? "The operator"} was changed.`,
    undo: (answer, input) => {
      const { operatorId = "", etag = "" } = answer.operator ?? {};
      const paths = input.updateMask?.paths ?? [];
      const former = operatorOf(valuesOf(edit.theirs ?? base));
      return () => undo.send({ operator: { ...former, operatorId, etag }, updateMask: { paths } });
    },
    onDone: () => setSaved(true),
  });
  const edit = useMergedEdit(update.problem, async () => {
    const { operator: now } = await callUnaryMethod(transport, OperatorService.method.getOperator, { operatorId: base.operatorId });
    return now;
  });
  // The same object while it is shown: Merge forgets the choices when theirs changes.
  const newest = useMemo(() => edit.theirs && valuesOf(edit.theirs), [edit.theirs]);
  const rest = useViolations(form, update.problem, { root: "operator", paths: violationPaths });

  const changed = changedFields(before, form.values);
  const dirty = changed.length > 0 && !saved;
  const behind = operator.version !== base.version && !saved;
  const guard = useLeaveGuard(dirty);
  useEffect(() => {
    onDirty(dirty);
  }, [dirty, onDirty]);
  // After the guard has let go.
  useEffect(() => {
    if (saved) onDone();
  }, [saved, onDone]);

  const request = (values: OperatorValues, from: Operator) => ({
    operator: { ...operatorOf(values), operatorId: base.operatorId, etag: from.etag },
    updateMask: { paths: maskOf(changedFields(valuesOf(from), values)) },
  });
  // What would be saved, with its etag: nothing is taken while the base is behind, and that is told already.
  const checked = useCheck(dirty && !behind && form.isValid() ? JSON.stringify(form.values) : "", () => update.check(request(form.values, base)));

  const submit = form.onSubmit((values) => {
    if (changed.length === 0) {
      onDone();
      return;
    }
    void edit.save(() => update.send(request(values, base)));
  });
  const merge = (merged: OperatorValues): Promise<unknown> =>
    edit.merge(async (theirs) => {
      const next = request(merged, theirs);
      if (next.updateMask.paths.length === 0) setSaved(true);
      else await update.send(next);
    });
  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      {guard}
      <FormProblem problem={edit.problem} rest={rest} />
      <DuplicateNote
        problem={update.problem ?? (checked.state === "refused" ? checked.problem : undefined)}
        values={form.values}
        self={base.operatorId}
      />
      {behind && (
        <Note tone="warning">
          {operator.updatedBy === caller.name ? "You changed this operator in another place" : <><Who name={operator.updatedBy} /> changed this operator</>} since you
          opened it here. Saving shows both versions.
        </Note>
      )}
      <OperatorFields form={form} self={base.operatorId} />
      {rebinds(changed) && <Note>Connectors end their sessions and bind anew with these values as soon as they are saved.</Note>}
      {checked.state === "fine" && <Warnings warnings={checked.answer.warnings} title="After this change" />}
      <div className={classes.foot}>
        <CheckLine checked={checked} fine="The server would take this." />
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
          subject={`operator ${newest.name}`}
          own={edit.theirs?.updatedBy === caller.name}
          base={before}
          mine={form.values}
          theirs={newest}
          fields={mergeFields}
          onMerge={merge}
        />
      )}
    </form>
  );
}
