import type { MessageInitShape } from "@bufbuild/protobuf";
import { BindType, EnforcementMode, type Operator, type OperatorSchema } from "@gen/operators/v1/operator_pb";
import { MessageType } from "@gen/routing/v1/types_pb";

/** What the form of an operator holds: texts, as they are typed. Enums are their numbers as text. */
export interface OperatorValues {
  name: string;
  host: string;
  port: string;
  systemId: string;
  systemType: string;
  bindType: string;
  maxTps: string;
  burstMultiplier: string;
  enforcementMode: string;
  messageTypes: string[];
  backupOperatorId: string;
  notes: string;
}

/** 2775 is the port that IANA gives to SMPP. */
export const blank: OperatorValues = {
  name: "",
  host: "",
  port: "2775",
  systemId: "",
  systemType: "",
  bindType: String(BindType.TRANSCEIVER),
  maxTps: "",
  burstMultiplier: "1.5",
  enforcementMode: String(EnforcementMode.HARD_REJECT),
  messageTypes: [String(MessageType.SMS)],
  backupOperatorId: "",
  notes: "",
};

export function valuesOf(operator: Operator): OperatorValues {
  const { tpsLimit } = operator;
  return {
    name: operator.name,
    host: operator.host,
    port: String(operator.port),
    systemId: operator.systemId,
    systemType: operator.systemType,
    bindType: String(operator.bindType),
    maxTps: tpsLimit === undefined ? "" : String(tpsLimit.maxTps),
    burstMultiplier: String(tpsLimit?.burstMultiplier ?? 1.5),
    enforcementMode: String(tpsLimit?.enforcementMode ?? EnforcementMode.HARD_REJECT),
    messageTypes: operator.messageTypes.map(String).sort(),
    backupOperatorId: operator.backupOperatorId,
    notes: operator.notes,
  };
}

/** Values that problemsOf finds nothing in. */
export function operatorOf(values: OperatorValues): MessageInitShape<typeof OperatorSchema> {
  return {
    name: values.name.trim(),
    host: values.host.trim().toLowerCase(),
    port: Number(values.port),
    systemId: values.systemId,
    systemType: values.systemType,
    bindType: Number(values.bindType),
    messageTypes: values.messageTypes.map(Number),
    tpsLimit: {
      maxTps: Number(values.maxTps),
      burstMultiplier: burstOf(values.burstMultiplier),
      enforcementMode: Number(values.enforcementMode),
    },
    backupOperatorId: values.backupOperatorId,
    notes: values.notes,
  };
}

/** How update_mask names each field. */
const paths: Readonly<Record<keyof OperatorValues, string>> = {
  name: "name",
  host: "host",
  port: "port",
  systemId: "system_id",
  systemType: "system_type",
  bindType: "bind_type",
  maxTps: "tps_limit.max_tps",
  burstMultiplier: "tps_limit.burst_multiplier",
  enforcementMode: "tps_limit.enforcement_mode",
  messageTypes: "message_types",
  backupOperatorId: "backup_operator_id",
  notes: "notes",
};

const fields = Object.keys(paths) as (keyof OperatorValues)[];

/** The fields that differ, by their names in the form. */
export function changedFields(base: OperatorValues, next: OperatorValues): (keyof OperatorValues)[] {
  return fields.filter((field) => plain(base[field]) !== plain(next[field]));
}

function plain(value: string | readonly string[]): string {
  return typeof value === "string" ? value : [...value].sort().join(",");
}

export function maskOf(changed: readonly (keyof OperatorValues)[]): string[] {
  return changed.map((field) => paths[field]);
}

/** Whether connectors have to bind anew after a change of these fields. */
export function rebinds(changed: readonly (keyof OperatorValues)[]): boolean {
  return changed.some((field) => ["host", "port", "systemId", "systemType", "bindType"].includes(field));
}

/** Takes "1.5" and "1,5"; NaN when it is no number. */
function burstOf(text: string): number {
  const plainText = text.trim().replace(",", ".");
  return /^\d+(\.\d+)?$/.test(plainText) ? Number(plainText) : NaN;
}

type Complaint = string | null;

/** What is wrong with a field, in the server's terms, so that nobody has to ask it; it has the last word all the same. */
export const complaints: { readonly [F in keyof OperatorValues]?: (value: OperatorValues[F]) => Complaint } = {
  name: (value) => {
    const name = value.trim();
    if (name === "") return "Give a name.";
    if ([...name].length > 100) return "At most 100 characters.";
    if (/\p{C}/u.test(name)) return "Only printable characters.";
    return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(name) ? "A UUID is no name: rules may call an operator by either." : null;
  },
  host: (value) => hostComplaint(value.trim().toLowerCase()),
  port: (value) => wholeComplaint(value, 1, 65535),
  systemId: (value) => {
    if (value === "") return "Give the system_id that the operator gave you.";
    if (value.length > 15) return "At most 15 characters.";
    return asciiComplaint(value) ?? (value.trim() === value ? null : "No space at the start or end.");
  },
  systemType: (value) => (value.length > 12 ? "At most 12 characters." : asciiComplaint(value)),
  maxTps: (value) => wholeComplaint(value, 1, 2147483647),
  burstMultiplier: (value) => {
    const burst = burstOf(value);
    return burst >= 1 && burst <= 100 ? null : "A number from 1 to 100.";
  },
  messageTypes: (value) => (value.length === 0 ? "Choose one at least." : null),
  notes: (value) => {
    if ([...value].length > 2000) return "At most 2000 characters.";
    return /\p{Cc}/u.test(value.replace(/[\n\r\t]/g, "")) ? "No control characters but line ends and tabs." : null;
  },
};

function wholeComplaint(text: string, low: number, high: number): Complaint {
  const number = /^\d{1,10}$/.test(text.trim()) ? Number(text) : NaN;
  return number >= low && number <= high ? null : `A whole number from ${String(low)} to ${String(high)}.`;
}

function asciiComplaint(text: string): Complaint {
  return /^[ -~]*$/.test(text) ? null : "Only printable ASCII characters.";
}

function hostComplaint(host: string): Complaint {
  if (host === "") return "Give a host name or an IP address.";
  if (host.length > 253) return "At most 253 characters.";
  if (host.includes("://")) return "Without a scheme such as smpp://.";
  if (/[/\s]/.test(host)) return "A host name or an IP address alone, without path or spaces.";
  if (/^[\da-f:.]+$/.test(host) && host.split(":").length > 2) return null; // IPv6: the server reads it
  if (host.includes(":") || host.startsWith("[")) return "Without a port: that has a field of its own.";
  if (/^\d+(\.\d+){3}$/.test(host)) return host.split(".").every((part) => Number(part) <= 255) ? null : "No such IPv4 address.";
  if (!host.split(".").every((label) => /^(?!-)[a-z\d-]{1,63}(?<!-)$/.test(label))) return "Letters, digits and hyphens between dots, or an IP address.";
  return /\.?\d+$/.test(host) && /^\d+$/.test(host.split(".").at(-1) ?? "") ? "Looks like an IPv4 address and is none." : null;
}

/** What is wrong with a password; it never holds the password. */
export function passwordComplaint(password: string, required: boolean): Complaint {
  if (password === "") return required ? "Give the new password." : null;
  if (password.length > 64) return "At most 64 characters.";
  return asciiComplaint(password);
}

/** SMPP 3.4 gives the field 9 octets with its terminator. */
export const standardPassword = 8;
