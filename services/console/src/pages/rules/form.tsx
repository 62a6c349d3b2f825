import { Button } from "@mantine/core";
import { callUnaryMethod, useTransport } from "@connectrpc/connect-query";
import type { RoutingRule } from "@gen/operators/v1/routing_rule_pb";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { type FormEvent, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { useCaller } from "../../api/caller";
import { useViolations } from "../../parts/fields";
import { FormProblem } from "../../parts/formproblem";
import { useLeaveGuard } from "../../parts/leave";
import { useMergedEdit } from "../../parts/mergededit";
import { CandidateTable } from "./candidatetable";
import { fitted } from "./candidates";
import { Choices } from "./choices";
import { Authors } from "./authors";
import { errorsOf, refusalOf } from "./conflicts";
import { LivePanel, summaryOf } from "./livepanel";
import { afterRefusal, useLiveFindings } from "./livefindings";
import { PurposeFields } from "./purposefields";
import { changes, complaints, emptyRule, type RuleValues, valuesOf } from "./ruleform";
import { useRuleForm } from "./ruleformstate";
import { RuleMerge } from "./rulemerge";
import { useSave } from "./save";
import { strategies, strategyOf } from "./strategies";
import { TermFields } from "./termfields";
import classes from "./rules.module.css";

interface RuleEditorProps {
  /** The stored rule, or undefined for a new one. */
  readonly rule: RoutingRule | undefined;
  readonly initial?: { readonly prefix: string; readonly accountId: string };
  readonly onDirty: (dirty: boolean) => void;
  readonly onSaved: (rule: RoutingRule | undefined) => void;
}

export function RuleEditor({ rule, initial = { prefix: "", accountId: "" }, onDirty, onSaved }: RuleEditorProps): ReactNode {
  const { accountId: bound } = useCaller();
  const transport = useTransport();
  // What is edited stays when the stored rule changes meanwhile; saving then asks what counts.
  const [base, setBase] = useState(rule);
  const start = useMemo(() => (base === undefined ? emptyRule(initial.prefix, bound === "" ? initial.accountId : bound) : valuesOf(base)), [base]);
  const form = useRuleForm(start);
  const { values } = form;
  const dirty = base === undefined ? isTouched(start, values) : changes(start, values).length > 0;
  const saving = useSave(base);
  const [tried, setTried] = useState(false);
  const saved = useRef(false);
  const leave = useLeaveGuard(dirty && !saving.pending && !saved.current);
  const found = useLiveFindings(base === undefined ? undefined : { ruleId: base.ruleId, values: start }, values, !saving.pending && !saved.current);

  useEffect(() => onDirty(dirty), [dirty, onDirty]);
  useEffect(() => {
    if (rule === undefined || base === undefined || rule.etag === base.etag || dirty) return;
    setBase(rule);
    form.change(valuesOf(rule));
  }, [rule, base, dirty, form]);
  useEffect(() => {
    if (tried) form.setErrors(complaints(values));
  }, [tried, values, form.setErrors]);

  const edit = useMergedEdit(saving.problem, async () => {
    const { rule: now } = await callUnaryMethod(transport, RoutingRuleService.method.getRoutingRule, { ruleId: base?.ruleId ?? "" });
    return now;
  });
  const rest = useViolations(form, saving.problem, { root: "rule", paths: { account_id: "accountId" } });
  const refusal = useMemo(() => (saving.error === undefined ? undefined : refusalOf(saving.error)), [saving.error]);
  const live = afterRefusal(found, refusal);
  const duplicate = refusal !== undefined && refusal.duplicate !== "";
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    if (duplicate) panel.current?.focus();
  }, [refusal, duplicate]);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const wrong = complaints(form.getValues());
    form.setErrors(wrong);
    setTried(true);
    if (Object.keys(wrong).length > 0) {
      const box = event.currentTarget;
      requestAnimationFrame(() => box.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
      return;
    }
    const stored = await edit.save(() => saving.save(form.getValues()));
    if (stored === undefined) return;
    saved.current = true;
    onSaved(stored);
  };
  const names = useMemo(() => new Map(base?.candidates.map((one) => [one.operatorId, one.operatorName])), [base]);
  const complaint = Object.values(complaints(values))[0] ?? "";
  const missing = complaint === "" ? "" : `Not checked yet. ${complaint}`;
  const bad = errorsOf(live.findings).length > 0;

  return (
    <form noValidate className={classes.editor} onSubmit={(event) => void submit(event)}>
      <div className={classes.fields}>
        {!duplicate && <FormProblem problem={edit.problem} rest={rest} />}
        {refusal !== undefined && refusal.findings.length > 0 && live.findings.length === 0 && <p className={classes.hint}>See the conflicts beside.</p>}
        <Part title="What it is for">
          <PurposeFields form={form} stored={base !== undefined} bound={bound} />
        </Part>
        <Part title="Who carries it">
          <Choices
            label="Strategy"
            choices={strategies}
            value={values.strategy}
            onChange={(strategy) => form.change({ strategy, candidates: fitted(values.candidates, strategyOf(strategy)) })}
            error={form.errors["strategy"]}
          />
          <CandidateTable form={form} unbound={bound === ""} names={names} />
        </Part>
        <Part title="When it counts">
          <TermFields form={form} />
        </Part>
        {base !== undefined && <Authors rule={base} />}
      </div>
      <aside className={classes.beside}>
        <LivePanel ref={panel} live={live} ruleId={base?.ruleId ?? ""} missing={dirty || base === undefined ? missing : ""} />
      </aside>
      <div className={classes.footer}>
        <span className={classes.footerWord} data-bad={bad || undefined}>
          {bad ? `${summaryOf(live.findings, "")}: it would be refused.` : dirty && live.duplicate === "" ? "Not saved yet." : ""}
        </span>
        <Button type="submit" loading={saving.pending} disabled={base !== undefined && !dirty}>
          {base === undefined ? "Create rule" : "Save"}
        </Button>
      </div>
      {leave}
      {base !== undefined && edit.theirs !== undefined && (
        <RuleMerge
          onClose={edit.close}
          base={base}
          mine={values}
          theirs={edit.theirs}
          names={names}
          onMerge={(merged) =>
            edit.merge(async (theirs) => {
              await saving.merge(theirs, merged);
              saved.current = true;
              onSaved(theirs);
            })
          }
        />
      )}
    </form>
  );
}

function isTouched(start: RuleValues, values: RuleValues): boolean {
  return JSON.stringify(start) !== JSON.stringify(values);
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <section className={classes.part} aria-label={title}>
      <h3 className={classes.subtitle}>{title}</h3>
      {children}
    </section>
  );
}
