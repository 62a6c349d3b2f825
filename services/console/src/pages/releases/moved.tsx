import type { Release } from "@gen/releases/v1/release_pb";
import type { ReactNode } from "react";
import type { Problem } from "../../api/errors";
import { ProblemMarks } from "../../parts/states";
import { When } from "../../parts/when";
import { Caution } from "./create";
import { nameOf, titleOf } from "../../parts/standing";
import { Who } from "../../parts/who";

interface MovedProps {
  readonly problem: Problem;
  /** What was in force when the question was asked first. */
  readonly before: Release | undefined;
  /** What is in force now. */
  readonly now: Release | undefined;
  /** The release that was to be published, as it is now. */
  readonly release: Release | undefined;
}

/** Explains a change that came between the question and the answer: who did what, when, and that nothing was done. */
export function Moved({ problem, before, now, release }: MovedProps): ReactNode {
  return (
    <Caution>
      {problem.reason === "RELEASE_MOVED" ? <Overtaken before={before} now={now} /> : <Touched release={release} />} Nothing was changed by
      you. What follows is as things are now: decide again.
      <ProblemMarks problem={problem} />
    </Caution>
  );
}

function Overtaken({ before, now }: { readonly before: Release | undefined; readonly now: Release | undefined }): ReactNode {
  if (now === undefined) return <>No release is in force any more.</>;
  const { lastActivation } = now;
  return (
    <>
      {titleOf(now)} came in force{lastActivation !== undefined && <> by <Who name={lastActivation.createdBy} />, <When time={lastActivation.createTime} seconds />,</>} while
      you were looking{before !== undefined && before.releaseId !== now.releaseId && <>; it was {nameOf(before)} before</>}.
      {lastActivation !== undefined && lastActivation.reason !== "" && <> Their reason: “{lastActivation.reason}”.</>}
    </>
  );
}

function Touched({ release }: { readonly release: Release | undefined }): ReactNode {
  if (release === undefined) return <>The release was changed meanwhile.</>;
  if (release.lastActivation !== undefined) {
    const { createdBy, createTime } = release.lastActivation;
    return <>{titleOf(release)} was published by <Who name={createdBy} />, <When time={createTime} seconds />, while you were looking.</>;
  }
  if (release.approveTime !== undefined) {
    return <>{titleOf(release)} was approved by <Who name={release.approvedBy} />, <When time={release.approveTime} seconds />, while you were looking.</>;
  }
  return <>{titleOf(release)} was changed while you were looking.</>;
}
