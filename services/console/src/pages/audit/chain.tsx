import { Button, TextInput } from "@mantine/core";
import type { AuditVerdict } from "@gen/access/v1/audit_pb";
import { AuditService } from "@gen/access/v1/audit_service_pb";
import { IconShieldCheck } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { Copy } from "../../parts/copy";
import { useDrawer } from "../../parts/drawer";
import { counted, countText } from "../../parts/figures";
import { FormProblem } from "../../parts/formproblem";
import { stepOf, useJob } from "../../parts/job";
import { Section } from "../../parts/page";
import { useParam } from "../../parts/params";
import { Progress } from "../../parts/progress";
import { StatusBadge } from "../../parts/status";
import { When } from "../../parts/when";
import { adviceFor, headComplaint } from "./advice";
import classes from "./audit.module.css";

/** Whether the log is as it was written. Nobody is made to wait for that: it is asked for. */
export function Chain(): ReactNode {
  const [head, setHead] = useParam("head");
  const [text, setText] = useState(head);
  const [checked, setChecked] = useState<{ readonly at: Date; readonly head: string }>();
  const job = useJob(AuditService.method.verifyAuditChain, stepOf);
  const complaint = headComplaint(text);
  const verify = async (): Promise<void> => {
    const knownHead = text.trim().toLowerCase();
    setHead(knownHead);
    if ((await job.start({ knownHead })) !== undefined) setChecked({ at: new Date(), head: knownHead });
  };
  return (
    <Section title="Chain" description="Each row is sealed by a hash over itself and the row before. Verifying computes all of them again.">
      <div className={classes.stack}>
        <form
          className={classes.chain}
          onSubmit={(event) => {
            event.preventDefault();
            if (complaint === null && job.state !== "running") void verify();
          }}
        >
          <TextInput
            className={classes.head ?? ""}
            classNames={{ input: classes.headInput ?? "" }}
            label="Head noted before"
            placeholder="Optional: 64 hexadecimal digits"
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            error={complaint}
            spellCheck={false}
            autoComplete="off"
          />
          <Button type="submit" variant="default" leftSection={<IconShieldCheck size={16} aria-hidden />} loading={job.state === "running"} disabled={complaint !== null}>
            Verify chain
          </Button>
        </form>
        <Progress job={job} label="Verifying" />
        <FormProblem problem={job.problem} />
        {job.state === "cancelled" && <p className={classes.prose}>Verifying was cancelled. Nothing is known about the chain.</p>}
        {job.state === "done" && job.result !== undefined && checked !== undefined && <Verdict verdict={job.result} at={checked.at} knownHead={checked.head} />}
      </div>
    </Section>
  );
}

interface VerdictProps {
  readonly verdict: AuditVerdict;
  readonly at: Date;
  readonly knownHead: string;
}

export function Verdict({ verdict: { verified, unsealed, head, defect }, at, knownHead }: VerdictProps): ReactNode {
  const drawer = useDrawer("row");
  const rows = counted(verified, ["row", "rows"]);
  return (
    <div className={classes.verdict} data-broken={defect !== undefined || undefined} role={defect === undefined ? "status" : "alert"}>
      <div className={classes.line}>
        <StatusBadge tone={defect === undefined ? "good" : "bad"}>{defect === undefined ? "Whole" : "Broken"}</StatusBadge>
        <span>
          {defect === undefined ? `Verified ${rows}.` : `${rows} verified.`}{" "}
          {unsealed > 0n && `${counted(unsealed, ["row waits", "rows wait"])} for a seal. `}
          {defect === undefined && knownHead !== "" && "The head noted before is in it. "}
          <When time={at} seconds />
        </span>
      </div>
      {defect !== undefined && (
        <>
          <p>
            <strong>{defect.message}</strong> {defect.sequence > 0n && `Place ${countText(defect.sequence)} of the chain. `}
            <code>{defect.reason}</code>
          </p>
          <p>{adviceFor(defect.reason)}</p>
          {defect.auditId !== "" && (
            <div>
              <Button size="compact-sm" variant="default" onClick={() => drawer.open(defect.auditId)}>
                Show the row
              </Button>
            </div>
          )}
        </>
      )}
      {head !== "" && (
        <p className={classes.line}>
          <span>Head</span>
          <span className={classes.copied}>
            <span className={classes.hash}>{head}</span>
            <Copy value={head} label="Copy head" />
          </span>
          {defect === undefined && <span className={classes.dim}>Keep it where the owners of the database cannot write, and give it next time.</span>}
        </p>
      )}
    </div>
  );
}
