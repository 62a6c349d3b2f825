import { Button } from "@mantine/core";
import { IconChecks } from "@tabler/icons-react";
import { type Release, ReleaseState } from "@gen/releases/v1/release_pb";
import { ReleaseService } from "@gen/releases/v1/release_service_pb";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Role, useCaller, useMay } from "../../api/caller";
import { useChange } from "../../parts/change";
import { Confirm } from "../../parts/confirm";
import { invalidate } from "../../parts/invalidate";
import classes from "./releases.module.css";
import { nameOf, titleOf } from "../../parts/standing";
import { shortName } from "../../parts/who";

interface ApprovalProps {
  readonly release: Release;
  readonly onApproved?: () => void;
  /** Tells the one who made it why there is no button. */
  readonly explain?: boolean;
}

/** Says as a second admin that a release may be published; explains itself to the one who made it. */
export function Approval({ release, onApproved, explain = false }: ApprovalProps): ReactNode {
  const caller = useCaller();
  const admin = useMay(Role.ADMIN, true);
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const change = useChange(ReleaseService.method.approveRelease, {
    done: `${titleOf(release)} is approved.`,
    onDone: () => onApproved?.(),
  });
  if (!admin || release.state !== ReleaseState.DRAFT || release.approveTime !== undefined) return null;
  if (caller.name === release.createdBy) {
    if (!explain) return null;
    return (
      <p className={classes.note} role="note">
        You made {nameOf(release)}, so another admin has to approve it.
      </p>
    );
  }
  return (
    <>
      <Button variant="default" leftSection={<IconChecks size={16} aria-hidden />} onClick={() => { setAsking(true); }}>
        Approve
      </Button>
      <Confirm
        opened={asking}
        onClose={() => { setAsking(false); }}
        title={`Approve ${nameOf(release)}`}
        what={[
          `You say, as an admin who did not make it (${shortName(release.createdBy)} did), that ${nameOf(release)} may be published.`,
          "Nothing changes for traffic until somebody publishes it.",
          "It cannot be taken back: look at its changes and replay it first.",
        ]}
        confirm="Approve"
        action={async () => {
          try {
            await change.send({ releaseId: release.releaseId, etag: release.etag });
          } catch (error) {
            // What came between is shown as it is now, under the question.
            void invalidate(queries, [ReleaseService]);
            throw error;
          }
        }}
      />
    </>
  );
}
