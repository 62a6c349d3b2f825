import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconCheck } from "@tabler/icons-react";
import type { Release, ReleaseActivation } from "@gen/releases/v1/release_pb";
import { ReleaseState } from "@gen/releases/v1/release_pb";
import { useCallback } from "react";
import { useLocation } from "wouter";
import { dateOf } from "../../parts/when";
import { withParams } from "../../parts/params";
import { undoTime } from "../../parts/notify";
import { nameOf, titleOf } from "../../parts/standing";

interface Answer {
  readonly release?: Release | undefined;
  readonly activation?: ReleaseActivation | undefined;
}

/** After a publish or a rollback: says what is in force, offers the way back, and shows engines take it up. */
export function useActivated(): (answer: Answer, former: Release | undefined) => void {
  const [, go] = useLocation();
  return useCallback(
    ({ release, activation }: Answer, former: Release | undefined) => {
      if (release === undefined || activation === undefined) return;
      const notification = notifications.show({
        message: (
          <Group justify="space-between" wrap="nowrap" gap="sm">
            <Text size="sm">{outcomeText(release, activation, former)}</Text>
            {former !== undefined && former.releaseId !== release.releaseId && (
              <Button
                size="compact-sm"
                variant="light"
                flex="none"
                onClick={() => {
                  notifications.hide(notification);
                  go(withParams("/releases", { rollback: former.releaseId }));
                }}
              >
                {release.state === ReleaseState.SCHEDULED ? "Call off" : "Roll back"}
              </Button>
            )}
          </Group>
        ),
        icon: <IconCheck size={16} aria-hidden />,
        color: "teal",
        autoClose: undoTime,
        withBorder: true,
      });
      go(withParams(`/releases/${release.releaseId}`, { tab: "engines", activation: String(activation.activation) }));
    },
    [go],
  );
}

/** What is in force, when, and in place of what. */
export function outcomeText(release: Release, activation: ReleaseActivation, former: Release | undefined): string {
  const name = titleOf(release);
  const place = former !== undefined && former.releaseId !== release.releaseId ? ` in place of ${nameOf(former)}` : "";
  if (release.state === ReleaseState.SCHEDULED) {
    const when = activation.activateTime === undefined ? "later" : dateOf(activation.activateTime).toLocaleString();
    return `${name} is scheduled for ${when}${place}.`;
  }
  return activation.announced ? `${name} is in force${place}.` : `${name} will be in force${place} once NATS is back.`;
}
