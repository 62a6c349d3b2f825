import { Radio, Stack } from "@mantine/core";
import type { Release } from "@gen/releases/v1/release_pb";
import { ReleaseService } from "@gen/releases/v1/release_service_pb";
import { Code } from "@connectrpc/connect";
import { type ReactNode, useEffect, useState } from "react";
import { describe, type Problem } from "../../api/errors";
import { DateTimeInput, fromLocal, localText } from "../../parts/datetime";
import { useChange } from "../../parts/change";
import { FormProblem } from "../../parts/formproblem";
import { Failed, Loading } from "../../parts/states";
import { Approval } from "./approve";
import { Moved } from "./moved";
import { checkPublish, usePrepared } from "./prepare";
import { ActivationQuestion, Consequences } from "./question";
import { titleOf } from "../../parts/standing";
import { useActivated } from "./activated";
import { momentComplaint } from "./moment";

interface PublishProps {
  readonly release: Release;
  readonly opened: boolean;
  readonly onClose: () => void;
}

/** Asks whether to put a release in force, with everything that would happen. */
export function Publish({ release, opened, onClose }: PublishProps): ReactNode {
  const id = release.releaseId;
  const prepared = usePrepared(["publish", id], opened, release, (transport, { standing }, signal) => checkPublish(transport, id, standing, signal));
  const activated = useActivated();
  const change = useChange(ReleaseService.method.publishRelease);
  const [later, setLater] = useState(false);
  const [moment, setMoment] = useState("");
  const [complaint, setComplaint] = useState<string>();
  const [reason, setReason] = useState("");
  const [conflict, setConflict] = useState<{ readonly problem: Problem; readonly before: Release | undefined }>();
  const { reset } = change;
  useEffect(() => {
    if (opened) return;
    reset();
    setLater(false);
    setComplaint(undefined);
    setReason("");
    setConflict(undefined);
  }, [opened, reset]);

  const facts = prepared.data;
  const fresh = facts?.release;
  const at = later ? fromLocal(moment) : undefined;
  const submit = async (): Promise<void> => {
    if (facts === undefined || fresh === undefined) return;
    const wrong = later ? momentComplaint(moment, new Date()) : undefined;
    setComplaint(wrong);
    if (wrong !== undefined) return;
    const before = facts.standing.release;
    try {
      const answer = await change.send({
        releaseId: id, etag: fresh.etag, expectedReleaseId: before?.releaseId ?? "", reason: reason.trim(),
        ...(at === undefined ? {} : { activateTime: at }),
      });
      onClose();
      activated(answer, facts.standing.release);
    } catch (error) {
      const problem = describe(error);
      if (problem.code !== Code.Aborted) return;
      setConflict({ problem, before });
      reset();
      void prepared.refetch();
    }
  };
  const refusal = facts?.refusal;
  const late = change.problem?.violations.find(({ field }) => field.endsWith("activateTime"));
  return (
    <ActivationQuestion
      opened={opened}
      onClose={onClose}
      title={`Publish ${titleOf(release).toLowerCase()}`}
      confirm={later ? "Schedule" : "Publish now"}
      pending={change.pending}
      ready={fresh !== undefined && refusal === undefined && !prepared.isFetching}
      problem={change.problem}
      reason={reason}
      onReason={setReason}
      onSubmit={() => void submit()}
    >
      {conflict !== undefined && facts !== undefined && !prepared.isFetching && (
        <Moved problem={conflict.problem} before={conflict.before} now={facts.standing.release} release={fresh ?? release} />
      )}
      {prepared.error !== null ? (
        <Failed problem={describe(prepared.error)} onRetry={() => void prepared.refetch()} />
      ) : facts === undefined || prepared.isFetching ? (
        <Loading height={150} label="Looking at what would change" />
      ) : refusal !== undefined ? (
        <Stack gap="xs">
          <FormProblem problem={refusal} />
          {refusal.reason === "NOT_APPROVED" && <Approval release={release} explain onApproved={() => void prepared.refetch()} />}
        </Stack>
      ) : (
        <>
          <Consequences prepared={facts} release={fresh ?? release} at={at} />
          <Radio.Group label="When" value={later ? "later" : "now"} onChange={(value) => {
            setLater(value === "later");
            if (value === "later" && moment === "") setMoment(localText(new Date(Date.now() + 3_600_000)));
          }}>
            <Stack gap={6} mt={4}>
              <Radio value="now" label="At once" />
              <Radio value="later" label="At a moment, at most 90 days ahead" />
            </Stack>
          </Radio.Group>
          {later && <DateTimeInput label="Takes effect" value={moment} onChange={setMoment} error={complaint ?? late?.message} required />}
        </>
      )}
    </ActivationQuestion>
  );
}
