import type { ReactNode } from "react";
import { BindStateBadge, OperatorStatusBadge, QualityBadge, StatusBadge, type Tone } from "../../parts/status";
import { OperatorStatus } from "@gen/operators/v1/operator_pb";
import { type Present, type State, type Trouble, troubleWords } from "../../live/present";
import classes from "./health.module.css";

const tones: Readonly<Record<Trouble, Tone>> = { down: "bad", watch: "warning", unknown: "idle", good: "good", receives: "info", unused: "idle" };

export function TroubleBadge({ trouble }: { readonly trouble: Trouble }): ReactNode {
  return <StatusBadge tone={tones[trouble]}>{troubleWords[trouble]}</StatusBadge>;
}

/** Everything that is to be said of the state; in one line where there is room for no more. */
export function Badges({ present, line = false }: { readonly present: Present; readonly line?: boolean }): ReactNode {
  return (
    <span className={classes.badges} data-line={line || undefined}>
      {present.operator.status !== OperatorStatus.ACTIVE && <OperatorStatusBadge status={present.operator.status} />}
      <StateBadges state={present} />
      {present.throttled && <StatusBadge tone="warning">Throttled</StatusBadge>}
      {present.byHand && <StatusBadge tone="info">By hand</StatusBadge>}
    </span>
  );
}

export function StateBadges({ state }: { readonly state: State }): ReactNode {
  return (
    <span className={classes.badges}>
      <BindStateBadge state={state.bind} />
      <QualityBadge quality={state.quality} />
    </span>
  );
}
