import { MultiSelect, Select, Textarea, TextInput } from "@mantine/core";
import { type UseFormReturnType } from "@mantine/form";
import { BindType, EnforcementMode } from "@gen/operators/v1/operator_pb";
import { MessageType } from "@gen/routing/v1/types_pb";
import type { ReactNode } from "react";
import { OperatorSelect } from "../../parts/select";
import { bindTypeWord, enforcementWord, messageTypeWord } from "../../parts/words";
import classes from "./operators.module.css";
import type { OperatorValues } from "./values";

const bindTypes = [BindType.TRANSCEIVER, BindType.TRANSMITTER, BindType.RECEIVER].map((value) => ({ value: String(value), label: bindTypeWord(value) }));
const modes = [EnforcementMode.HARD_REJECT, EnforcementMode.SOFT_THROTTLE].map((value) => ({ value: String(value), label: enforcementWord(value) }));
const types = [MessageType.SMS, MessageType.FLASH, MessageType.WAP].map((value) => ({ value: String(value), label: messageTypeWord(value) }));

const bindTypeHelp: Readonly<Record<string, string>> = {
  [String(BindType.TRANSCEIVER)]: "Sends and receives on one session.",
  [String(BindType.TRANSMITTER)]: "Sends only.",
  [String(BindType.RECEIVER)]: "Receives only: never selected for sending.",
};

const modeHelp: Readonly<Record<string, string>> = {
  [String(EnforcementMode.HARD_REJECT)]: "Above the limit a message is refused at once and may go to the next operator.",
  [String(EnforcementMode.SOFT_THROTTLE)]: "Above the limit a message waits for its turn.",
};

interface OperatorFieldsProps {
  readonly form: UseFormReturnType<OperatorValues>;
  /** The operator itself, which cannot be its own backup. */
  readonly self?: string;
  /** More fields, before the notes. */
  readonly children?: ReactNode;
}

/** Every field of an operator that people set. */
export function OperatorFields({ form, self, children }: OperatorFieldsProps): ReactNode {
  const { values, getInputProps } = form;
  const text = { autoComplete: "off", spellCheck: false } as const;
  return (
    <div className={classes.fields}>
      <TextInput {...text} className={classes.whole ?? ""} label="Name" required description="Unique among live operators." data-autofocus {...getInputProps("name")} />
      <TextInput {...text} label="Host" required placeholder="smpp.example.net" description="Name or IP address." {...getInputProps("host")} />
      <TextInput {...text} label="Port" required inputMode="numeric" description="TCP, usually 2775." {...getInputProps("port")} />
      <TextInput {...text} label="system_id" required description="1 to 15 characters." {...getInputProps("systemId")} />
      <TextInput {...text} label="system_type" description="At most 12 characters, mostly empty." {...getInputProps("systemType")} />
      <Select label="Bind type" data={bindTypes} allowDeselect={false} description={bindTypeHelp[values.bindType] ?? ""} {...getInputProps("bindType")} />
      <MultiSelect
        label="Message types"
        data={types}
        description="What it carries."
        {...getInputProps("messageTypes")}
      />
      <TextInput {...text} label="TPS limit" required inputMode="numeric" description="Segments a second, over time." {...getInputProps("maxTps")} />
      <TextInput {...text} label="Burst" required inputMode="decimal" description="1 to 100 times the limit." {...getInputProps("burstMultiplier")} />
      <Select
        label="Enforcement"
        className={classes.whole ?? ""}
        data={modes}
        allowDeselect={false}
        description={modeHelp[values.enforcementMode] ?? ""}
        {...getInputProps("enforcementMode")}
      />
      <div className={classes.whole}>
        <OperatorSelect
          label="Backup operator"
          value={values.backupOperatorId}
          onChange={(id) => form.setFieldValue("backupOperatorId", id)}
          error={form.errors["backupOperatorId"]}
          description="Its session carries when this one's is lost."
          placeholder="None"
          clearable
          {...(self === undefined ? {} : { except: [self] })}
        />
      </div>
      {children}
      <Textarea
        className={classes.whole ?? ""}
        label="Notes"
        autosize
        minRows={2}
        maxRows={8}
        description="For people: contacts, contract, oddities. Never a password."
        {...getInputProps("notes")}
      />
    </div>
  );
}
