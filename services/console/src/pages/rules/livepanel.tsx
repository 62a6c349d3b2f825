import { Loader } from "@mantine/core";
import { IconCircleCheck, IconInfoCircle } from "@tabler/icons-react";
import type { ReactNode, Ref } from "react";
import { counted } from "../../parts/figures";
import { errorsOf } from "./conflicts";
import { Findings, RuleLink } from "./findings";
import type { LiveFindings } from "./livefindings";
import classes from "./rules.module.css";

interface LivePanelProps {
  /** Takes the focus when a rule was refused for what stands here. */
  readonly ref: Ref<HTMLElement>;
  readonly live: LiveFindings;
  readonly ruleId: string;
  /** What is missing before anything can be checked; "" when nothing is. */
  readonly missing: string;
}

/** What the conflict checker says while somebody edits. */
export function LivePanel({ ref, live, ruleId, missing }: LivePanelProps): ReactNode {
  const { state, findings, duplicate, problem } = live;
  return (
    <section ref={ref} tabIndex={-1} className={classes.live} aria-label="Conflicts" aria-busy={state === "checking"}>
      <div className={classes.liveHead}>
        <h3 className={classes.subtitle}>Conflicts</h3>
        {state === "checking" && <Loader size={14} aria-label="Checking" />}
      </div>
      <p role="status" className={classes.liveWord} data-state={wordState(live)}>
        {wordOf(live, missing)}
      </p>
      {duplicate !== "" && (
        <p className={classes.sentence}>
          Only one rule may have this account, prefix and message types. Change that one: <RuleLink id={duplicate} />
        </p>
      )}
      {state === "failed" && problem !== undefined && <p className={classes.sentence}>{problem.message}</p>}
      <div className={classes.liveFindings} data-old={state === "checking" || undefined}>
        <Findings findings={findings} except={ruleId} />
      </div>
    </section>
  );
}

function wordState({ state, findings, duplicate }: LiveFindings): string {
  if (duplicate !== "" || errorsOf(findings).length > 0) return "bad";
  return state === "done" && findings.length === 0 ? "good" : "idle";
}

function wordOf({ state, findings, duplicate }: LiveFindings, missing: string): ReactNode {
  if (state === "waiting") {
    return (
      <>
        <IconInfoCircle size={16} aria-hidden /> {missing === "" ? "What you change is checked against all rules as you type." : missing}
      </>
    );
  }
  if (state === "failed") return "Not checked.";
  const summary = summaryOf(findings, duplicate);
  if (summary !== "") return summary;
  return state === "checking" ? (
    "Checking…"
  ) : (
    <>
      <IconCircleCheck size={16} aria-hidden /> No conflicts.
    </>
  );
}

/** "1 conflict, 2 warnings", or "". */
export function summaryOf(findings: readonly LiveFindings["findings"][number][], duplicate: string): string {
  const errors = errorsOf(findings).length;
  const warnings = findings.length - errors;
  const words = [
    ...(duplicate === "" ? [] : ["There is such a rule already"]),
    ...(errors === 0 ? [] : [counted(errors, ["conflict", "conflicts"])]),
    ...(warnings === 0 ? [] : [counted(warnings, ["warning", "warnings"])]),
  ];
  return words.join(", ");
}
