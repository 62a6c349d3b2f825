import { useQuery } from "@connectrpc/connect-query";
import type { GetOutboxStatusResponse } from "@gen/operators/v1/outbox_pb";
import { OutboxService } from "@gen/operators/v1/outbox_service_pb";
import type { ReactNode } from "react";
import { Answer } from "../../parts/answer";
import { Count } from "../../parts/figures";
import { Facts, Section } from "../../parts/page";
import { StatusBadge, type Tone } from "../../parts/status";
import { Duration, durationMs } from "../../parts/when";
import classes from "./system.module.css";

/** In milliseconds. */
const every = 5_000;

/** The relay needs less than a second; what waits longer than this, in milliseconds, is stuck. */
const stuck = 60_000;

/** How far events of committed changes are on their way. */
export function EventsTab(): ReactNode {
  const query = useQuery(OutboxService.method.getOutboxStatus, {}, { refetchInterval: every });
  return (
    <Answer query={query} height={280}>
      {(outbox) => {
        const [tone, word, text] = stateOf(outbox);
        const { pending, pendingPublish, oldest, published, lastError } = outbox;
        return (
          <Section
            title="Outbox"
            description="Every change is stored together with the event that tells engines of it. A relay publishes events to NATS from there, so none is lost while NATS is away."
          >
            <p className={`${classes.verdict ?? ""} ${classes.lead ?? ""}`} role="status">
              <StatusBadge tone={tone}>{word}</StatusBadge>
              <span>{text}</span>
            </p>
            <Facts
              items={[
                { label: "Waiting for the relay", value: <Count value={pending} /> },
                { label: "Failed three times, waiting for the reconciler", value: <Count value={pendingPublish} /> },
                { label: "The oldest waits", value: oldest === undefined ? "none waits" : <Duration value={oldest} /> },
                { label: "Published, not yet cleared away", value: <Count value={published} /> },
                { label: "Last error of those that wait", value: lastError === "" ? "none" : <code className={classes.code}>{lastError}</code> },
              ]}
            />
          </Section>
        );
      }}
    </Answer>
  );
}

type Outbox = Pick<GetOutboxStatusResponse, "pending" | "pendingPublish" | "oldest">;

/** What the counts mean. */
export function stateOf({ pending, pendingPublish, oldest }: Outbox): readonly [tone: Tone, word: string, text: string] {
  if (oldest !== undefined && durationMs(oldest) > stuck) {
    return ["bad", "Stuck", "Engines do not hear of the newest changes. Usually NATS is out of reach; look at the dependencies."];
  }
  if (pendingPublish > 0n) {
    return ["warning", "Retrying", "Some events failed three times. The reconciler publishes them again; nothing is lost."];
  }
  if (pending > 0n) return ["info", "Publishing", "The newest events are on their way."];
  return ["good", "Empty", "Everything that was changed has been told."];
}
