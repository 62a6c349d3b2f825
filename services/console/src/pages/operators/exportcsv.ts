import type { Operator } from "@gen/operators/v1/operator_pb";
import { BindType, OperatorStatus } from "@gen/operators/v1/operator_pb";
import { MessageType } from "@gen/routing/v1/types_pb";
import { csvText } from "../../parts/csv";

const statuses: Readonly<Record<OperatorStatus, string>> = {
  [OperatorStatus.UNSPECIFIED]: "",
  [OperatorStatus.INACTIVE]: "INACTIVE",
  [OperatorStatus.ACTIVE]: "ACTIVE",
  [OperatorStatus.SUSPENDED]: "SUSPENDED",
};

const binds: Readonly<Record<BindType, string>> = {
  [BindType.UNSPECIFIED]: "",
  [BindType.TRANSCEIVER]: "TRANSCEIVER",
  [BindType.TRANSMITTER]: "TRANSMITTER",
  [BindType.RECEIVER]: "RECEIVER",
};

const types: Readonly<Record<MessageType, string>> = {
  [MessageType.UNSPECIFIED]: "",
  [MessageType.SMS]: "SMS",
  [MessageType.FLASH]: "FLASH",
  [MessageType.WAP]: "WAP",
};

/** As the importer reads it back: an apostrophe before what a spreadsheet would run, and before what looks so guarded. */
export function guard(text: string): string {
  return /^[=+\-@\t\r]/.test(text) || /^'[=+\-@\t\r']/.test(text) ? `'${text}` : text;
}

/** A file for ImportOperators: what it says of these operators, and nothing that it cannot say. */
export function operatorsCsv(operators: readonly Operator[]): string {
  return csvText(operators, [
    { name: "name", value: (one) => guard(one.name), own: true },
    { name: "host", value: (one) => one.host, own: true },
    { name: "port", value: (one) => String(one.port), own: true },
    { name: "system_id", value: (one) => guard(one.systemId), own: true },
    { name: "bind_type", value: (one) => binds[one.bindType], own: true },
    { name: "max_tps", value: (one) => String(one.tpsLimit?.maxTps ?? ""), own: true },
    { name: "message_types", value: (one) => one.messageTypes.map((type) => types[type]).join("|"), own: true },
    { name: "status", value: (one) => statuses[one.status], own: true },
  ]);
}
