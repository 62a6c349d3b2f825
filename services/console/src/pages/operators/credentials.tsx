import { Button, PasswordInput } from "@mantine/core";
import type { Operator } from "@gen/operators/v1/operator_pb";
import { OperatorStatus } from "@gen/operators/v1/operator_pb";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { type FormEvent, type ReactNode, useState } from "react";
import { describe } from "../../api/errors";
import { useChange } from "../../parts/change";
import { Confirm } from "../../parts/confirm";
import { Facts, Section } from "../../parts/page";
import { When } from "../../parts/when";
import { LongPassword } from "./create";
import classes from "./operators.module.css";
import { passwordComplaint, standardPassword } from "./values";

interface CredentialsProps {
  readonly operator: Operator;
  readonly edits: boolean;
  /** Reads the operator again after a refusal. */
  readonly onStale: () => void;
}

/** The password of an operator: whether there is one, and a new one. */
export function Credentials({ operator, edits, onStale }: CredentialsProps): ReactNode {
  return (
    <div className={classes.stack}>
      <Section title="Password">
        <Facts
          items={[
            { label: "State", value: operator.hasCredentials ? "stored in the secret store" : "none yet" },
            { label: "system_id", value: <span className={classes.mono}>{operator.systemId}</span> },
            { label: "Operator last changed", value: <When time={operator.updateTime} /> },
          ]}
        />
      </Section>
      {edits && <Rotate operator={operator} onStale={onStale} />}
    </div>
  );
}

function Rotate({ operator, onStale }: Omit<CredentialsProps, "edits">): ReactNode {
  const { operatorId, etag, name, hasCredentials } = operator;
  const [password, setPassword] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [asking, setAsking] = useState(false);
  const rotate = useChange(OperatorService.method.rotateCredentials, {
    done: hasCredentials ? `${name} has a new password.` : `${name} has a password now.`,
    onDone: () => setPassword(""),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const complaint = passwordComplaint(password, true);
    setError(complaint);
    if (complaint === null) setAsking(true);
  };
  const act = async (): Promise<void> => {
    try {
      await rotate.send({ operatorId, etag, password });
    } catch (failure) {
      const { violations } = describe(failure);
      setError(violations.find(({ field }) => field === "password")?.message ?? null);
      onStale();
      throw failure;
    }
  };
  return (
    <Section
      title={hasCredentials ? "Rotate credentials" : "Set a password"}
      description="The operator has to know the new password before it is set here. Nobody can read it again, here or elsewhere."
    >
      <form className={classes.narrowForm} onSubmit={submit} noValidate>
        <PasswordInput
          label="New password"
          required
          autoComplete="new-password"
          maxLength={64}
          description="1 to 64 printable ASCII characters."
          value={password}
          error={error}
          onChange={(event) => {
            setPassword(event.currentTarget.value);
            if (error !== null) setError(passwordComplaint(event.currentTarget.value, true));
          }}
          visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
        />
        {password.length > standardPassword && <LongPassword />}
        <div>
          <Button type="submit">{hasCredentials ? "Rotate…" : "Set password…"}</Button>
        </div>
      </form>
      <Confirm
        opened={asking}
        onClose={() => setAsking(false)}
        title={hasCredentials ? `Rotate the password of ${name}?` : `Set the password of ${name}?`}
        what={consequences(operator)}
        confirm={hasCredentials ? "Rotate" : "Set password"}
        action={act}
      />
    </Section>
  );
}

function consequences({ hasCredentials, status }: Operator): readonly string[] {
  const bound = status === OperatorStatus.ACTIVE && hasCredentials;
  return [
    ...(hasCredentials ? ["The former password counts no more, and cannot be brought back from here."] : []),
    ...(bound
      ? [
          "Connectors fetch the new one and bind their sessions anew, one after the other; until then others may carry.",
          "If the operator does not take it, its sessions stay unbound and it is not selected.",
        ]
      : ["Connectors use it at their next bind."]),
  ];
}
