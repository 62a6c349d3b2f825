import { OperatorName } from "../../parts/names";
import type { MergeField } from "../../parts/merge";
import { bindTypeWord, enforcementWord, messageTypeWord } from "../../parts/words";
import type { OperatorValues } from "./values";

/** The fields of an operator as Merge shows them. */
export const mergeFields: readonly MergeField<OperatorValues>[] = [
  { name: "name", label: "Name" },
  { name: "host", label: "Host" },
  { name: "port", label: "Port" },
  { name: "systemId", label: "system_id" },
  { name: "systemType", label: "system_type" },
  { name: "bindType", label: "Bind type", render: (value) => bindTypeWord(Number(value)) },
  { name: "messageTypes", label: "Message types", render: (value) => value.map((type) => messageTypeWord(Number(type))).join(", ") },
  { name: "maxTps", label: "TPS limit" },
  { name: "burstMultiplier", label: "Burst" },
  { name: "enforcementMode", label: "Enforcement", render: (value) => enforcementWord(Number(value)) },
  { name: "backupOperatorId", label: "Backup operator", render: (value) => (value === "" ? <em>nothing</em> : <OperatorName id={value} link={false} />) },
  { name: "notes", label: "Notes" },
];
