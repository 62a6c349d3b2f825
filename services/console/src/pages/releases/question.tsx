import { Button, Group, Modal, Stack, Textarea } from "@mantine/core";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Release } from "@gen/releases/v1/release_pb";
import type { FormEvent, ReactNode } from "react";
import type { Problem } from "../../api/errors";
import { counted } from "../../parts/figures";
import { FormProblem } from "../../parts/formproblem";
import { When } from "../../parts/when";
import { differenceText, fewRules } from "./cautions";
import { Caution } from "./create";
import { engineWord } from "../../parts/engines";
import { operatorsApart, operatorsText } from "./operatordiff";
import type { Prepared } from "./prepare";
import classes from "./releases.module.css";
import { nameOf, titleOf } from "../../parts/standing";
import { Who } from "../../parts/who";

interface QuestionProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly confirm: string;
  readonly danger?: boolean;
  readonly pending: boolean;
  /** Whether there is something to agree to. */
  readonly ready: boolean;
  readonly problem: Problem | undefined;
  readonly reason: string;
  readonly onReason: (reason: string) => void;
  readonly onSubmit: () => void;
  readonly children: ReactNode;
}

/** The dialog of publish and rollback. It stays while it works, or nobody would learn how it ended. */
export function ActivationQuestion(props: QuestionProps): ReactNode {
  const { opened, onClose, title, confirm, danger = false, pending, ready, problem, reason, onReason, onSubmit, children } = props;
  return (
    <Modal
      opened={opened}
      onClose={() => {
        if (!pending) onClose();
      }}
      title={title}
      size="lg"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          if (ready && !pending) onSubmit();
        }}
      >
        <Stack>
          <FormProblem problem={problem} />
          {children}
          <Textarea
            label="Reason"
            description="For the history and the audit log; at most 500 characters"
            value={reason}
            onChange={(event) => {
              onReason(event.currentTarget.value);
            }}
            maxLength={500}
            autosize
            minRows={1}
            maxRows={4}
            disabled={pending}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose} disabled={pending} data-autofocus>
              Cancel
            </Button>
            <Button type="submit" {...(danger ? { color: "red" } : {})} loading={pending} disabled={!ready}>
              {confirm}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

interface ConsequencesProps {
  readonly prepared: Prepared;
  readonly release: Release;
  /** When it takes effect; undefined is at once. */
  readonly at: Timestamp | undefined;
}

/** What will happen, sentence by sentence; what must not be overlooked first. */
export function Consequences({ prepared, release, at }: ConsequencesProps): ReactNode {
  const { standing, scheduled, difference } = prepared;
  const former = standing.release;
  const stays = former?.releaseId === release.releaseId;
  const caution = stays ? undefined : fewRules(release, former);
  const refusing = standing.engines.filter((engine) => engineWord(engine) === "refused");
  return (
    <>
      {caution !== undefined && <Caution>{caution}</Caution>}
      <ul className={classes.sentences}>
        {stays ? <li>{titleOf(release)} stays in force.</li> : <Place release={release} former={former} at={at} />}
        {difference !== undefined && <li>What changes: {differenceText(difference.summary)}.</li>}
        {scheduled !== undefined && <CalledOff scheduled={scheduled} own={scheduled.releaseId === release.releaseId && !stays} />}
        {!stays && standing.engines.length > 0 && (
          <li>
            {at === undefined
              ? `${counted(standing.engines.length, ["engine", "engines"])} in release mode ${standing.engines.length === 1 ? "takes" : "take"} it up at once.`
              : `${counted(standing.engines.length, ["engine", "engines"])} in release mode ${standing.engines.length === 1 ? "holds" : "hold"} it ready and swap${standing.engines.length === 1 ? "s" : ""} at that moment by ${standing.engines.length === 1 ? "its own clock" : "their own clocks"}.`}
          </li>
        )}
        {standing.engines.length === 0 && (
          <li>
            No engine in release mode was heard of: it changes nothing for traffic of engines in database or memory mode
            (docs/how-to/releases.md).
          </li>
        )}
      </ul>
      <p className={classes.note}>
        {operatorsApart}
        {former !== undefined &&
          difference !== undefined &&
          difference.operators.all > 0n &&
          ` Those that differ between the two (${operatorsText(difference.operators)}) stay as they are now.`}
      </p>
      {refusing.length > 0 && (
        <Caution>
          {counted(refusing.length, ["engine refuses", "engines refuse"])} what is in force now (
          {[...new Set(refusing.map(({ event }) => event?.reason))].join(", ")}) and may refuse this too: look at the engines first.
        </Caution>
      )}
    </>
  );
}

function Place({ release, former, at }: { readonly release: Release; readonly former: Release | undefined; readonly at: Timestamp | undefined }): ReactNode {
  const since = former?.lastActivation?.activateTime;
  const before =
    former === undefined ? " as the first that is served" : (
      <>
        {" "}
        in place of {nameOf(former)}
        {since !== undefined && <>, in force since <When time={since} /></>}
      </>
    );
  if (at === undefined) return <li>{titleOf(release)} is in force at once{before}.</li>;
  return (
    <li>
      {titleOf(release)} is in force from <When time={at} seconds /> on{before}. Until then {former === undefined ? "nothing" : nameOf(former)} is served.
    </li>
  );
}

function CalledOff({ scheduled, own }: { readonly scheduled: Release; readonly own: boolean }): ReactNode {
  const when = scheduled.lastActivation;
  return (
    <li>
      <strong>{own ? "Its own schedule is called off" : `${titleOf(scheduled)} is called off`}</strong>
      {when !== undefined && (
        <>
          : it was scheduled for <When time={when.activateTime} /> by <Who name={when.createdBy} />
        </>
      )}
      .
    </li>
  );
}
