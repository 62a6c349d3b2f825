import { Select } from "@mantine/core";
import { Code } from "@connectrpc/connect";
import { type Release, ReleaseState } from "@gen/releases/v1/release_pb";
import { ReleaseService } from "@gen/releases/v1/release_service_pb";
import { type ReactNode, useEffect, useState } from "react";
import { describe, type Problem } from "../../api/errors";
import { useChange } from "../../parts/change";
import { FormProblem } from "../../parts/formproblem";
import { Failed, Loading } from "../../parts/states";
import { useActivated } from "./activated";
import { Moved } from "./moved";
import { checkRollback, usePrepared } from "./prepare";
import { ActivationQuestion, Consequences } from "./question";
import classes from "./releases.module.css";
import { named, nameOf, titleOf } from "../../parts/standing";

/** The target of a rollback that names none: what was served before. */
export const formerOne = "former";

interface RollbackProps {
  /** An id, or formerOne; "" is closed. */
  readonly target: string;
  readonly onTarget: (target: string) => void;
  readonly onClose: () => void;
}

/** Asks whether to go back to a release that was served before. */
export function Rollback({ target, onTarget, onClose }: RollbackProps): ReactNode {
  const opened = target !== "";
  const wanted = target === formerOne ? "" : target;
  const prepared = usePrepared(["rollback", target], opened, undefined, (transport, { standing }, signal) => checkRollback(transport, wanted, standing, signal));
  const activated = useActivated();
  const change = useChange(ReleaseService.method.rollbackRelease);
  const [reason, setReason] = useState("");
  const [conflict, setConflict] = useState<{ readonly problem: Problem; readonly before: Release | undefined }>();
  const { reset } = change;
  useEffect(() => {
    if (opened) return;
    reset();
    setReason("");
    setConflict(undefined);
  }, [opened, reset]);

  const facts = prepared.data;
  const release = facts?.release;
  const former = facts?.standing.release;
  const stays = release !== undefined && release.releaseId === former?.releaseId;
  const submit = async (): Promise<void> => {
    if (release === undefined) return;
    try {
      // The question was about this one, so it is the one to go back to, whatever comes between.
      const answer = await change.send({ releaseId: release.releaseId, expectedReleaseId: former?.releaseId ?? "", reason: reason.trim() });
      onClose();
      activated(answer, former);
    } catch (error) {
      const problem = describe(error);
      if (problem.code !== Code.Aborted) return;
      setConflict({ problem, before: former });
      reset();
      void prepared.refetch();
    }
  };
  const refusal = facts?.refusal;
  return (
    <ActivationQuestion
      opened={opened}
      onClose={onClose}
      title={stays ? "Call off what is scheduled" : "Roll back"}
      confirm={release === undefined ? "Roll back" : stays ? "Call it off" : `Go back to ${nameOf(release)}`}
      danger
      pending={change.pending}
      ready={release !== undefined && refusal === undefined && !prepared.isFetching}
      problem={change.problem}
      reason={reason}
      onReason={setReason}
      onSubmit={() => void submit()}
    >
      {conflict !== undefined && facts !== undefined && !prepared.isFetching && (
        <Moved problem={conflict.problem} before={conflict.before} now={former} release={release} />
      )}
      <Select
        label="Go back to"
        data={targets(facts?.releases ?? [], facts?.standing.release, target)}
        value={target === "" ? formerOne : target}
        onChange={(next) => {
          onTarget(next ?? formerOne);
        }}
        allowDeselect={false}
        disabled={change.pending}
        searchable={(facts?.releases.length ?? 0) > 8}
      />
      {prepared.error !== null ? (
        <Failed problem={describe(prepared.error)} onRetry={() => void prepared.refetch()} />
      ) : facts === undefined || prepared.isFetching ? (
        <Loading height={150} label="Looking at what would change" />
      ) : refusal !== undefined ? (
        <Refusal refusal={refusal} former={former} />
      ) : (
        release !== undefined && <Consequences prepared={facts} release={release} at={undefined} />
      )}
    </ActivationQuestion>
  );
}

/** That there is nothing to go back to without a choice is no mistake of anybody. */
function Refusal({ refusal, former }: { readonly refusal: Problem; readonly former: Release | undefined }): ReactNode {
  switch (refusal.reason) {
    case "ALREADY_ROLLED_BACK":
      return (
        <p className={classes.note} role="note">
          {former === undefined ? "What is in force" : titleOf(former)} came by a rollback itself. Choose above which release to go back to.
        </p>
      );
    case "NO_FORMER_RELEASE":
      return (
        <p className={classes.note} role="note">
          No other release was in force before: there is nothing to go back to. Make a release and publish it instead.
        </p>
      );
    default:
      return <FormProblem problem={refusal} />;
  }
}

/** Whether there is a release to go back to, as far as that is known. */
export function canGoBack(releases: readonly Release[] | undefined): boolean {
  return releases?.some(({ state }) => state === ReleaseState.RETIRED) ?? false;
}

interface Option {
  readonly value: string;
  readonly label: string;
}

/** Releases that were in force and are kept; the one in force only to call a schedule off. */
function targets(releases: readonly Release[], active: Release | undefined, chosen: string): Option[] {
  const former = named(releases, active?.lastActivation?.formerReleaseId ?? "");
  const options: Option[] = [{ value: formerOne, label: former === undefined ? "The one that was served before" : `The one that was served before, ${nameOf(former)}` }];
  for (const release of releases) {
    const scheduled = releases.some(({ state }) => state === ReleaseState.SCHEDULED);
    if (release.state === ReleaseState.RETIRED) options.push({ value: release.releaseId, label: labelOf(release) });
    else if (release.state === ReleaseState.ACTIVE && scheduled) options.push({ value: release.releaseId, label: `${labelOf(release)} (stays in force)` });
  }
  if (chosen !== "" && !options.some(({ value }) => value === chosen)) {
    const release = named(releases, chosen);
    options.push({ value: chosen, label: release === undefined ? chosen : labelOf(release) });
  }
  return options;
}

function labelOf(release: Release): string {
  return `${titleOf(release)}${release.description === "" ? "" : `: ${release.description.slice(0, 80)}`}`;
}
