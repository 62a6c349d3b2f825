import { Button } from "@mantine/core";
import type { RateDiff } from "@gen/operators/v1/rate_pb";
import { IconCircleCheck, IconInfoCircle, IconPackageExport } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { FormProblem } from "../../../parts/formproblem";
import type { Job } from "../../../parts/job";
import { OperatorName } from "../../../parts/names";
import { withParams } from "../../../parts/params";
import { Progress } from "../../../parts/progress";
import { MakeRelease, useServesReleases } from "../../../parts/releasehint";
import { Count } from "../../../parts/figures";
import { BadLines } from "./badlines";
import classes from "./import.module.css";
import { Counts } from "./preview";
import { Note } from "./steps";

interface ApplyProps {
  readonly job: Pick<Job<never, RateDiff>, "state" | "progress" | "startedAt" | "cancel" | "problem" | "result">;
  readonly operator: string;
  readonly onAgain: () => void;
  readonly onBack: () => void;
  readonly onAnother: () => void;
  readonly cancel: ReactNode;
}

/** Step 4: the deck is stored, all of it or nothing. */
export function Apply({ job, operator, onAgain, onBack, onAnother, cancel }: ApplyProps): ReactNode {
  if (job.state === "done" && job.result !== undefined) {
    return job.result.applied ? (
      <Applied diff={job.result} operator={operator} onAnother={onAnother} />
    ) : (
      <div className={classes.wide}>
        <BadLines lines={job.result.badLines} count={job.result.badLineCount} />
        <div className={classes.buttons}>
          <Button onClick={onBack}>Back to the columns</Button>
          {cancel}
        </div>
      </div>
    );
  }
  return (
    <div className={classes.form}>
      <FormProblem problem={job.problem} />
      <Progress job={job} label="Storing the prices" />
      {job.state === "cancelled" && (
        <Note icon={<IconInfoCircle size={18} aria-hidden />}>
          Cancelled: nothing is stored, unless the server had finished already. Applying again does no harm: this import is carried out once.
        </Note>
      )}
      {job.state !== "running" && (
        <div className={classes.buttons}>
          <Button onClick={onAgain}>Apply again</Button>
          <Button variant="default" onClick={onBack}>
            Back to the columns
          </Button>
          {cancel}
        </div>
      )}
    </div>
  );
}

interface AppliedProps {
  readonly diff: RateDiff;
  readonly operator: string;
  readonly onAnother: () => void;
}

function Applied({ diff, operator, onAnother }: AppliedProps): ReactNode {
  return (
    <div className={classes.wide}>
      <Note tone="good" icon={<IconCircleCheck size={18} aria-hidden />}>
        <p role="status">
          The prices of <OperatorName id={operator} /> are stored.
          {diff.configVersion > 0n && (
            <>
              {" "}
              Configuration version <Count value={diff.configVersion} />.
            </>
          )}
        </p>
      </Note>
      <ReleaseHint />
      <Counts diff={diff} />
      <div className={classes.buttons}>
        <Button component={Link} href={withParams("/rates", { operator })}>
          Show the prices
        </Button>
        <Button variant="default" onClick={onAnother}>
          Import another deck
        </Button>
      </div>
    </div>
  );
}

/** Engines that serve releases take new prices from the next one only. */
function ReleaseHint(): ReactNode {
  if (useServesReleases() !== true) return null;
  return (
    <Note icon={<IconPackageExport size={18} aria-hidden />}>
      Engines serve releases: the new prices count when a release with them is published. <MakeRelease />
    </Note>
  );
}
