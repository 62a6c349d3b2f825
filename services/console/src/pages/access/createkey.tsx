import { Button, Radio, SegmentedControl, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { ApiKeyService } from "@gen/access/v1/api_key_service_pb";
import { type ReactNode, useEffect, useId, useState } from "react";
import { Role, useCaller } from "../../api/caller";
import { useChange } from "../../parts/change";
import { Drawer } from "../../parts/drawer";
import { useViolations } from "../../parts/fields";
import { FormProblem } from "../../parts/formproblem";
import { useLeaveGuard } from "../../parts/leave";
import { AccountName } from "../../parts/names";
import { AccountSelect } from "../../parts/select";
import { When } from "../../parts/when";
import { roleWord } from "../../parts/words";
import classes from "./access.module.css";
import { nameComplaint } from "./accountvalues";
import { useDiscard } from "./discard";
import type { ShownKey } from "./keytext";
import { durationOf, endOf, lifetimes } from "./lifetimes";
import { boundTexts, roleTexts } from "./roletexts";

interface NewKeyProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly onText: (key: ShownKey) => void;
}

export function NewKey({ opened, onClose, onText }: NewKeyProps): ReactNode {
  const [close, setDirty, dialog] = useDiscard(onClose, "Throw away the new key?");
  return (
    <>
      <Drawer id={opened ? "new" : ""} onClose={close} title="New key" size={560}>
        {() => <Form onDirty={setDirty} onCancel={close} onClose={onClose} onText={onText} />}
      </Drawer>
      {dialog}
    </>
  );
}

interface FormProps {
  readonly onDirty: (dirty: boolean) => void;
  readonly onCancel: () => void;
  readonly onClose: () => void;
  readonly onText: (key: ShownKey) => void;
}

interface KeyValues {
  name: string;
  role: string;
  accountId: string;
  lifetime: string;
}

const blank: KeyValues = { name: "", role: String(Role.VIEWER), accountId: "", lifetime: "90d" };

function Form({ onDirty, onCancel, onClose, onText }: FormProps): ReactNode {
  const { role: most, accountId: bound } = useCaller();
  const label = useId();
  const form = useForm<KeyValues>({ initialValues: blank, validate: { name: nameComplaint }, validateInputOnBlur: true });
  const [made, setMade] = useState(false);
  // No notification: the dialog with the text says what was done.
  const create = useChange(ApiKeyService.method.createApiKey, {
    onDone: ({ apiKey, text }) => {
      setMade(true);
      onText({ name: apiKey?.name ?? "", text });
    },
  });
  const rest = useViolations(form, create.problem);
  const dirty = form.isDirty() && !made;
  const guard = useLeaveGuard(dirty);
  useEffect(() => {
    onDirty(dirty);
  }, [dirty, onDirty]);
  useEffect(() => {
    if (made) onClose();
  }, [made, onClose]);

  const submit = form.onSubmit(({ name, role, accountId, lifetime }) => {
    const duration = durationOf(lifetimes, lifetime);
    void create.run({ name: name.trim(), role: Number(role), accountId, ...(duration === undefined ? {} : { lifetime: duration }) });
  });
  const texts = bound === "" && form.values.accountId === "" ? roleTexts : boundTexts;
  const end = endOf(lifetimes, form.values.lifetime, new Date());
  return (
    <form className={classes.form} onSubmit={submit} noValidate>
      {guard}
      <FormProblem problem={create.problem} rest={rest} />
      <TextInput label="Name" description="What uses it, such as orchestrator." required autoComplete="off" data-autofocus {...form.getInputProps("name")} />
      <Radio.Group label="Role" description="The least that is enough." {...form.getInputProps("role")}>
        <div className={classes.form}>
          {[Role.VIEWER, Role.OPERATOR, Role.ADMIN]
            .filter((role) => role <= most)
            .map((role) => (
              <Radio key={role} value={String(role)} label={roleWord(role)} description={texts[role]} mt={6} />
            ))}
        </div>
      </Radio.Group>
      {bound === "" ? (
        <AccountSelect
          label="Account"
          description="Bound to one, its holder sees nothing of the others. Without, it sees all."
          placeholder="All accounts"
          clearable
          value={form.values.accountId}
          onChange={(id) => form.setFieldValue("accountId", id)}
          error={form.errors["accountId"]}
        />
      ) : (
        <p className={classes.prose}>
          It will be bound to the account <AccountName id={bound} link={false} />, as you are.
        </p>
      )}
      <div>
        <div id={label} className={classes.label}>
          Lifetime
        </div>
        <SegmentedControl
          aria-labelledby={label}
          fullWidth
          size="xs"
          mt={6}
          data={lifetimes.map(({ value, label: word }) => ({ value, label: word }))}
          {...form.getInputProps("lifetime")}
        />
        <p className={classes.ends} aria-live="polite">
          {end === undefined ? "It works until somebody revokes it." : <>It ends <When time={end} />.</>}
        </p>
        {form.errors["lifetime"]}
      </div>
      <div className={classes.foot}>
        <Button variant="default" onClick={onCancel} disabled={create.pending}>
          Cancel
        </Button>
        <Button type="submit" loading={create.pending}>
          Create key
        </Button>
      </div>
    </form>
  );
}
