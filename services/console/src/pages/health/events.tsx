import { Button, Switch } from "@mantine/core";
import type { OperatorHealthEvent } from "@gen/events/v1/operator_health_event_pb";
import { IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { type ReactNode, useCallback, useEffect, useState } from "react";
import { useHealthWords } from "../../live/health";
import { counted } from "../../parts/figures";
import { OperatorName } from "../../parts/names";
import { Section } from "../../parts/page";
import { useParam } from "../../parts/params";
import { Empty } from "../../parts/states";
import { StatusBadge } from "../../parts/status";
import { StateBadges } from "./badges";
import classes from "./health.module.css";
import { type Entry, EventLog } from "./log";
import type { Present } from "../../live/present";

interface EventsProps {
  readonly all: readonly Present[];
}

/** What is heard while the page is open, newest first. */
export function Events({ all }: EventsProps): ReactNode {
  const [kind, setKind] = useParam("events", "changes");
  const heartbeats = kind === "all";
  const [log] = useState(() => new EventLog());
  const [, redraw] = useState(0);
  // What a paused list shows; undefined while it follows.
  const [held, setHeld] = useState<readonly Entry[]>();
  useEffect(() => {
    for (const { operator, bind, quality } of all) log.know(operator.operatorId, { bind, quality });
  }, [all, log]);
  useHealthWords(
    useCallback(
      (words: readonly OperatorHealthEvent[]) => {
        for (const word of words) log.hear(word);
        redraw((count) => count + 1);
      },
      [log],
    ),
  );
  const present = log.entries(heartbeats);
  const shown = held ?? present;
  const waiting = held === undefined ? 0 : present.filter(({ key }) => key > (held[0]?.key ?? -1)).length;
  return (
    <Section
      title="Events"
      description="As they come, while this page is open."
      actions={
        <div className={classes.tools}>
          <Switch
            size="xs"
            label="Heartbeats too"
            checked={heartbeats}
            onChange={(event) => {
              setKind(event.currentTarget.checked ? "all" : "changes");
              setHeld(undefined);
            }}
          />
          <Button
            size="compact-sm"
            variant="default"
            leftSection={held === undefined ? <IconPlayerPause size={14} aria-hidden /> : <IconPlayerPlay size={14} aria-hidden />}
            onClick={() => setHeld(held === undefined ? present : undefined)}
          >
            {held === undefined ? "Pause" : waiting === 0 ? "Go on" : `Go on, ${counted(waiting, ["new event", "new events"])}`}
          </Button>
        </div>
      }
    >
      {/* A list that scrolls has to be reached by the keyboard. */}
      <ol className={classes.events} aria-label="Events of health" tabIndex={0} aria-live={heartbeats ? "off" : "polite"}>
        {shown.map((entry) => (
          <Line key={entry.key} entry={entry} />
        ))}
        {shown.length === 0 && (
          <li>
            <Empty title={heartbeats ? "Nothing was heard yet" : "No change was heard yet"}>
              {heartbeats ? "Connectors report every 10 s." : "Changes show here the moment they are told. Those of before are below."}
            </Empty>
          </li>
        )}
      </ol>
    </Section>
  );
}

function Line({ entry }: { readonly entry: Entry }): ReactNode {
  return (
    <li className={classes.event} data-quiet={entry.before === undefined || undefined}>
      <time className={classes.time} dateTime={entry.at.toISOString()} title={entry.at.toISOString()}>
        {entry.at.toLocaleTimeString()}
      </time>
      <span className={classes.who}>
        <OperatorName id={entry.operatorId} />
      </span>
      {entry.before === undefined ? <span>Heartbeat</span> : null}
      <StateBadges state={entry} />
      {entry.version === 0n && <StatusBadge tone="info">By hand</StatusBadge>}
    </li>
  );
}
