import { Button } from "@mantine/core";
import { IconArrowBackUp, IconUpload } from "@tabler/icons-react";
import { type Release, ReleaseState } from "@gen/releases/v1/release_pb";
import type { ReactNode } from "react";
import { Role, useMay } from "../../api/caller";
import { useParam } from "../../parts/params";
import { Approval } from "./approve";
import { Publish } from "./publish";
import { canGoBack, formerOne, Rollback } from "./rollback";
import { useReleases, useStanding } from "../../parts/standing";

const publishable: readonly ReleaseState[] = [ReleaseState.DRAFT, ReleaseState.APPROVED, ReleaseState.SCHEDULED, ReleaseState.RETIRED];

/** What an admin can do with a release as it is. */
export function Actions({ release }: { readonly release: Release }): ReactNode {
  const admin = useMay(Role.ADMIN, true);
  const [publishing, setPublishing] = useParam("publish");
  const [rollback, setRollback] = useParam("rollback");
  const active = useStanding().data?.release;
  const releases = useReleases().data?.releases;
  if (!admin) return null;
  const { state, releaseId } = release;
  const retired = state === ReleaseState.RETIRED;
  return (
    <>
      <Approval release={release} />
      {retired && (
        <Button leftSection={<IconArrowBackUp size={16} aria-hidden />} onClick={() => { setRollback(releaseId, "push"); }}>
          Go back to it
        </Button>
      )}
      {state === ReleaseState.ACTIVE && canGoBack(releases) && (
        <Button variant="default" leftSection={<IconArrowBackUp size={16} aria-hidden />} onClick={() => { setRollback(formerOne, "push"); }}>
          Roll back
        </Button>
      )}
      {state === ReleaseState.SCHEDULED && active !== undefined && (
        <Button variant="default" onClick={() => { setRollback(active.releaseId, "push"); }}>
          Call off
        </Button>
      )}
      {publishable.includes(state) && (
        <Button
          variant={retired ? "default" : "filled"}
          title={retired ? "As a new publication, at once or at a moment ahead" : undefined}
          leftSection={<IconUpload size={16} aria-hidden />}
          onClick={() => { setPublishing("1", "push"); }}
        >
          {retired ? "Publish again or later" : "Publish"}
        </Button>
      )}
      <Publish release={release} opened={publishing !== ""} onClose={() => { setPublishing(""); }} />
      <Rollback target={rollback === "1" ? formerOne : rollback} onTarget={(target) => { setRollback(target); }} onClose={() => { setRollback(""); }} />
    </>
  );
}
