import { Button } from "@mantine/core";
import { BindType, type Operator, OperatorStatus } from "@gen/operators/v1/operator_pb";
import type { ReactNode } from "react";
import { Copy } from "../../parts/copy";
import { Count } from "../../parts/figures";
import { OperatorName, useOperatorNames } from "../../parts/names";
import { Id } from "../../parts/number";
import { Facts, Section } from "../../parts/page";
import { Ago, When } from "../../parts/when";
import { Who } from "../../parts/who";
import { bindTypeWord, enforcementWord, messageTypeWord } from "../../parts/words";
import { HealthFacts } from "./healthfacts";
import { Note } from "./note";
import classes from "./operators.module.css";
import { addressOf, deleted } from "./rows";
import { useActivate } from "./useactivate";
import type { StatusChanges } from "./usestatus";

interface OverviewProps {
  readonly operator: Operator;
  readonly edits: boolean;
  readonly changes: StatusChanges;
  readonly onHealth: () => void;
  readonly onCredentials: () => void;
}

export function Overview({ operator, edits, changes, onHealth, onCredentials }: OverviewProps): ReactNode {
  const { live } = useOperatorNames();
  const backs = live.filter(({ backupOperatorId }) => backupOperatorId === operator.operatorId);
  const address = addressOf(operator);
  return (
    <div className={classes.stack}>
      <Advice operator={operator} edits={edits} changes={changes} onCredentials={onCredentials} />
      <Section
        title="Now"
        actions={
          <Button variant="subtle" size="compact-sm" onClick={onHealth}>
            Timeline
          </Button>
        }
      >
        <HealthFacts operatorId={operator.operatorId} />
      </Section>
      <Section title="Connection">
        <Facts
          items={[
            { label: "Host and port", value: <span className={classes.copied}><span className={classes.mono}>{address}</span><Copy value={address} label="Copy host and port" /></span> },
            { label: "system_id", value: <span className={classes.mono}>{operator.systemId}</span> },
            { label: "system_type", value: operator.systemType === "" ? "none" : <span className={classes.mono}>{operator.systemType}</span> },
            { label: "Bind type", value: bindTypeWord(operator.bindType) },
            { label: "Password", value: operator.hasCredentials ? "stored, never shown" : "none yet" },
            { label: "Backup operator", value: operator.backupOperatorId === "" ? "none" : <OperatorName id={operator.backupOperatorId} /> },
            { label: "Is the backup of", value: backs.length === 0 ? "none" : <Names ids={backs.map(({ operatorId }) => operatorId)} /> },
          ]}
        />
      </Section>
      <Section title="Traffic">
        <Facts
          items={[
            { label: "Message types", value: operator.messageTypes.map(messageTypeWord).join(", ") },
            { label: "TPS limit", value: <><Count value={operator.tpsLimit?.maxTps} /> segments a second</> },
            { label: "Burst", value: `up to ${String(operator.tpsLimit?.burstMultiplier ?? 1.5)} times the limit` },
            { label: "Above the limit", value: operator.tpsLimit === undefined ? "unknown" : enforcementWord(operator.tpsLimit.enforcementMode) },
          ]}
        />
      </Section>
      <Section title="Notes">
        <p className={classes.prose}>{operator.notes === "" ? <span className={classes.dim}>None.</span> : operator.notes}</p>
      </Section>
      <Section title="Record">
        <Facts
          items={[
            { label: "Id", value: <Id value={operator.operatorId} label="operator id" /> },
            { label: "Version", value: <Count value={operator.version} /> },
            { label: "Created", value: <><When time={operator.createTime} /> by <Who name={operator.createdBy} /></> },
            { label: "Last changed", value: <><When time={operator.updateTime} /> by <Who name={operator.updatedBy} /> (<Ago time={operator.updateTime} />)</> },
            ...(deleted(operator) ? [{ label: "Deleted", value: <When time={operator.deleteTime} /> }] : []),
          ]}
        />
      </Section>
    </div>
  );
}

function Names({ ids }: { ids: readonly string[] }): ReactNode {
  return ids.map((id, index) => (
    <span key={id}>
      {index > 0 && ", "}
      <OperatorName id={id} />
    </span>
  ));
}

/** What stands between this operator and traffic, and how to take it away. */
function Advice({ operator, edits, changes, onCredentials }: Pick<OverviewProps, "operator" | "edits" | "changes" | "onCredentials">): ReactNode {
  const activate = useActivate(operator, changes);
  if (deleted(operator)) {
    return (
      <Note tone="idle">
        It was deleted <When time={operator.deleteTime} />. Rules may still name it, but nothing selects it, and it cannot come back.
      </Note>
    );
  }
  if (!operator.hasCredentials) {
    return (
      <Note
        tone="warning"
        action={
          edits && (
            <Button size="compact-sm" variant="default" onClick={onCredentials}>
              Set a password
            </Button>
          )
        }
      >
        No password of it is stored, so a connector that starts now cannot bind{operator.status === OperatorStatus.ACTIVE ? "." : " and it cannot be activated."}
      </Note>
    );
  }
  if (operator.status !== OperatorStatus.ACTIVE) {
    return (
      <Note
        action={
          edits && (
            <Button size="compact-sm" loading={changes.activate.pending} onClick={activate}>
              Activate
            </Button>
          )
        }
      >
        {operator.status === OperatorStatus.SUSPENDED ? "It is suspended: taken out of service for now." : "It is inactive: known, and not used."} No engine selects it
        until it is activated.
      </Note>
    );
  }
  if (operator.bindType === BindType.RECEIVER) return <Note>It only receives: it is never selected for sending.</Note>;
  return null;
}
