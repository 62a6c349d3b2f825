import { Button, PasswordInput } from "@mantine/core";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { type ReactNode, useEffect, useState } from "react";
import { useLocation } from "wouter";
import { useChange } from "../../parts/change";
import { useConfirm } from "../../parts/confirm";
import { Drawer } from "../../parts/drawer";
import { useViolations } from "../../parts/fields";
import { FormProblem } from "../../parts/formproblem";
import { useLeaveGuard } from "../../parts/leave";
import { CheckLine } from "./checkline";
import { DuplicateNote } from "./duplicate";
import { OperatorFields } from "./fields";
import { operatorPath } from "./links";
import classes from "./operators.module.css";
import { useCheck } from "./usecheck";
import { useOperatorForm, violationPaths } from "./useform";
import { blank, operatorOf, passwordComplaint, standardPassword } from "./values";

interface CreateProps {
  readonly opened: boolean;
  readonly onClose: () => void;
}

/** The drawer of a new operator. What was typed is asked about before it is thrown away. */
export function CreateDrawer({ opened, onClose }: CreateProps): ReactNode {
  const [dirty, setDirty] = useState(false);
  const [ask, dialog] = useConfirm();
  const close = (): void => {
    if (!dirty) {
      onClose();
      return;
    }
    ask({
      title: "Throw away the new operator?",
      what: ["What you typed is not saved."],
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
      <Drawer id={opened ? "new" : ""} onClose={close} title="New operator">
        {() => <CreateForm onDirty={setDirty} onCancel={close} />}
      </Drawer>
      {dialog}
    </>
  );
}

function CreateForm({ onDirty, onCancel }: { onDirty: (dirty: boolean) => void; onCancel: () => void }): ReactNode {
  const [, go] = useLocation();
  const form = useOperatorForm(blank);
  const [password, setPassword] = useState("");
  const [passwordError, setPasswordError] = useState<string | null>(null);
  const [created, setCreated] = useState("");
  const create = useChange(OperatorService.method.createOperator, {
    done: ({ operator }) => `${operator?.name ?? "The operator"} was created. It is inactive until you activate it.`,
    onDone: ({ operator }) => setCreated(operator?.operatorId ?? ""),
  });
  const rest = useViolations(form, create.problem, { root: "operator", paths: violationPaths });
  const refusedPassword = rest.find(({ field }) => field === "password")?.message;

  const dirty = (form.isDirty() || password !== "") && created === "";
  const guard = useLeaveGuard(dirty);
  useEffect(() => {
    onDirty(dirty);
  }, [dirty, onDirty]);
  // After the guard has let go.
  useEffect(() => {
    if (created !== "") go(operatorPath(created), { replace: true });
  }, [created, go]);

  // The password stays out of checks: it is sent once.
  const ready = form.isDirty() && form.isValid();
  const checked = useCheck(ready ? JSON.stringify(form.values) : "", () => create.check({ operator: operatorOf(form.values) }));
  const refused = create.problem ?? (checked.state === "refused" ? checked.problem : undefined);

  const submit = form.onSubmit((values) => {
    const complaint = passwordComplaint(password, false);
    setPasswordError(complaint);
    if (complaint === null) void create.run({ operator: operatorOf(values), password });
  });
  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      {guard}
      <FormProblem problem={create.problem} rest={rest.filter(({ field }) => field !== "password")} />
      <DuplicateNote problem={refused} values={form.values} />
      <OperatorFields form={form}>
        <PasswordInput
          className={classes.whole ?? ""}
          label="Password"
          autoComplete="new-password"
          maxLength={64}
          description="Optional now, needed to activate. Write only: nobody can read it again."
          value={password}
          error={passwordError ?? refusedPassword}
          onChange={(event) => {
            const next = event.currentTarget.value;
            setPassword(next);
            if (passwordError !== null) setPasswordError(passwordComplaint(next, false));
          }}
          onBlur={() => setPasswordError(passwordComplaint(password, false))}
          visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
        />
        {password.length > standardPassword && <LongPassword />}
      </OperatorFields>
      <div className={classes.foot}>
        <CheckLine checked={checked} fine="The server would take this." />
        <Button variant="default" onClick={onCancel} disabled={create.pending}>
          Cancel
        </Button>
        <Button type="submit" loading={create.pending}>
          Create operator
        </Button>
      </div>
    </form>
  );
}

/** SMPP 3.4 knows 8 characters; some operators take more. */
export function LongPassword(): ReactNode {
  return (
    <p className={`${classes.whole ?? ""} ${classes.prose ?? ""}`} role="status">
      SMPP 3.4 allows {standardPassword} characters. Use more only when the operator said that it takes them.
    </p>
  );
}
