import { Alert, Button, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { IconAlertTriangle, IconInfoCircle } from "@tabler/icons-react";
import type { CreateReleaseResult, Release } from "@gen/releases/v1/release_pb";
import { ReleaseService } from "@gen/releases/v1/release_service_pb";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { useLocation } from "wouter";
import { counted, countText } from "../../parts/figures";
import { FormProblem } from "../../parts/formproblem";
import { stepOf, useJob } from "../../parts/job";
import { Progress } from "../../parts/progress";
import { fewRules, holds } from "./cautions";
import { conflictsOf, Findings } from "./findings";
import classes from "./releases.module.css";
import { nameOf, titleOf, useStanding } from "../../parts/standing";

interface NewReleaseProps {
  readonly opened: boolean;
  readonly onClose: () => void;
}

/** Compiles the live tables into a draft. */
export function NewRelease({ opened, onClose }: NewReleaseProps): ReactNode {
  const job = useJob(ReleaseService.method.createRelease, stepOf, { invalidates: [ReleaseService] });
  const [description, setDescription] = useState("");
  const [checked, setChecked] = useState(false);
  const standing = useStanding();
  const [, go] = useLocation();
  const { reset } = job;
  useEffect(() => {
    if (opened) return;
    reset();
    setDescription("");
  }, [opened, reset]);

  const active = standing.data?.release;
  const start = async (validateOnly: boolean): Promise<void> => {
    setChecked(validateOnly);
    const result = await job.start({ description: description.trim(), validateOnly });
    const made = result?.release;
    if (validateOnly || made === undefined) return;
    // What has nothing to be told about opens at once.
    if (result?.warnings.length === 0 && fewRules(made, active) === undefined && !sameContent(made, active)) go(`/releases/${made.releaseId}`);
  };
  const running = job.state === "running";
  const made = job.state === "done" && !checked ? job.result?.release : undefined;
  return (
    <Modal
      opened={opened}
      onClose={() => {
        if (!running) onClose();
      }}
      title={made === undefined ? "New release" : `${titleOf(made)} is made`}
      size="lg"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {made !== undefined && job.result !== undefined ? (
        <Stack>
          <Outcome result={job.result} active={active} />
          <Group justify="flex-end">
            <Button data-autofocus onClick={() => { go(`/releases/${made.releaseId}`); }}>
              Open {nameOf(made)}
            </Button>
          </Group>
        </Stack>
      ) : (
        <form onSubmit={(event: FormEvent) => { event.preventDefault(); void start(false); }}>
          <Stack>
            <Text size="sm">
              A draft holds the operators, rules, rates and exchange rates of this moment. Nothing changes for traffic until it is published.
            </Text>
            <Textarea
              label="Description"
              description="Why it is made, for people"
              placeholder="Cheaper Britain"
              value={description}
              onChange={(event) => { setDescription(event.currentTarget.value); }}
              maxLength={500}
              autosize
              minRows={2}
              maxRows={6}
              disabled={running}
              data-autofocus
            />
            <Progress job={job} label="Compiling the live tables" />
            {job.state === "failed" && <Refused problem={job.problem} error={job.error} />}
            {job.state === "cancelled" && <Text size="sm" role="status">Cancelled. The list shows whether it was stored.</Text>}
            {job.state === "done" && checked && job.result !== undefined && (
              <Stack gap="xs" role="status">
                <Text size="sm" fw={600}>Nothing was stored. A release made now would hold:</Text>
                <Outcome result={job.result} active={active} />
              </Stack>
            )}
            <Group justify="flex-end">
              <Button variant="default" disabled={running} onClick={() => void start(true)}>
                Check only
              </Button>
              <Button type="submit" disabled={running}>
                Make the draft
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}

function sameContent(made: Release, active: Release | undefined): boolean {
  return active !== undefined && active.digest === made.digest;
}

function Outcome({ result, active }: { readonly result: CreateReleaseResult; readonly active: Release | undefined }): ReactNode {
  const { release, warnings } = result;
  if (release === undefined) return null;
  const caution = fewRules(release, active);
  return (
    <>
      <Text size="sm">{holds(release)}.</Text>
      {caution !== undefined && <Caution>{caution}</Caution>}
      {sameContent(release, active) && (
        <Alert color="gray" variant="light" icon={<IconInfoCircle size={18} aria-hidden />}>
          It has the same content as {nameOf(active)}, which is in force: nothing was changed since.
        </Alert>
      )}
      {release.warningCount > 0n && (
        <section aria-label="Warnings">
          <Text size="sm" fw={600}>{counted(release.warningCount, ["warning", "warnings"])} of the conflict checker{warningsBefore(release, active)}</Text>
          <details className={classes.folded}>
            <summary>Show them</summary>
            <Findings label="Warnings of the conflict checker" findings={warnings} count={release.warningCount} />
          </details>
        </section>
      )}
    </>
  );
}

/** How many the one in force has: most warnings are old. */
function warningsBefore({ warningCount }: Release, active: Release | undefined): string {
  if (active === undefined) return "";
  return `; ${nameOf(active)}, which is in force, has ${active.warningCount === warningCount ? "as many" : active.warningCount === 0n ? "none" : countText(active.warningCount)}`;
}

/** What must not be overlooked. */
export function Caution({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <div className={classes.caution} role="note">
      <IconAlertTriangle size={18} aria-hidden />
      <span>{children}</span>
    </div>
  );
}

function Refused({ problem, error }: { readonly problem: Parameters<typeof FormProblem>[0]["problem"]; readonly error: unknown }): ReactNode {
  const conflicts = problem?.reason === "RULE_CONFLICT" ? conflictsOf(error) : [];
  return (
    <>
      <FormProblem problem={problem} />
      {conflicts.length > 0 && <Findings label="Conflicts" findings={conflicts} count={BigInt(conflicts.length)} />}
    </>
  );
}
