import "./tones.css";
import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb";
import { OperatorStatus } from "@gen/operators/v1/operator_pb";
import { FindingSeverity } from "@gen/operators/v1/routing_rule_pb";
import { ReleaseState } from "@gen/releases/v1/release_pb";
import { IconAlertTriangle, IconCircleCheck, IconCircleDashed, IconCircleX, IconInfoCircle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import classes from "./values.module.css";
import { bindWord, qualityWord, releaseWord, severityWord, statusWord } from "./words";

/** What a state means, apart from its word. */
export type Tone = "good" | "warning" | "bad" | "idle" | "info";

const icons = {
  good: IconCircleCheck,
  warning: IconAlertTriangle,
  bad: IconCircleX,
  idle: IconCircleDashed,
  info: IconInfoCircle,
} as const;

interface StatusBadgeProps {
  readonly tone: Tone;
  readonly children: string;
  /** Without a ground. */
  readonly quiet?: boolean;
}

/** A word, an icon and a colour: never the colour alone. */
export function StatusBadge({ tone, children, quiet = false }: StatusBadgeProps): ReactNode {
  const Icon = icons[tone];
  return (
    <span className={`${classes.badge ?? ""} ${classes[tone] ?? ""}`} data-tone={tone} data-quiet={quiet || undefined}>
      <Icon size={14} stroke={2} aria-hidden />
      {children}
    </span>
  );
}

const statusTones: Readonly<Record<OperatorStatus, Tone>> = {
  [OperatorStatus.UNSPECIFIED]: "idle",
  [OperatorStatus.INACTIVE]: "idle",
  [OperatorStatus.ACTIVE]: "good",
  [OperatorStatus.SUSPENDED]: "warning",
};

const bindTones: Readonly<Record<BindState, Tone>> = {
  [BindState.UNSPECIFIED]: "idle",
  [BindState.BOUND]: "good",
  [BindState.FAILBACK]: "warning",
  [BindState.UNBOUND]: "bad",
};

const qualityTones: Readonly<Record<Quality, Tone>> = {
  [Quality.UNSPECIFIED]: "idle",
  [Quality.HEALTHY]: "good",
  [Quality.DEGRADED]: "warning",
  [Quality.UNHEALTHY]: "bad",
};

const severityTones: Readonly<Record<FindingSeverity, Tone>> = {
  [FindingSeverity.UNSPECIFIED]: "info",
  [FindingSeverity.ERROR]: "bad",
  [FindingSeverity.WARNING]: "warning",
};

const releaseTones: Readonly<Record<ReleaseState, Tone>> = {
  [ReleaseState.UNSPECIFIED]: "idle",
  [ReleaseState.DRAFT]: "idle",
  [ReleaseState.APPROVED]: "info",
  [ReleaseState.SCHEDULED]: "info",
  [ReleaseState.ACTIVE]: "good",
  [ReleaseState.RETIRED]: "idle",
  [ReleaseState.EXPIRED]: "warning",
};

export const statusTone = (status: OperatorStatus): Tone => statusTones[status] ?? "idle";
export const bindTone = (state: BindState): Tone => bindTones[state] ?? "idle";
export const qualityTone = (quality: Quality): Tone => qualityTones[quality] ?? "idle";
export const severityTone = (severity: FindingSeverity): Tone => severityTones[severity] ?? "info";
export const releaseTone = (state: ReleaseState): Tone => releaseTones[state] ?? "idle";

export function OperatorStatusBadge({ status }: { readonly status: OperatorStatus }): ReactNode {
  return <StatusBadge tone={statusTone(status)}>{statusWord(status)}</StatusBadge>;
}

export function BindStateBadge({ state }: { readonly state: BindState }): ReactNode {
  return <StatusBadge tone={bindTone(state)}>{bindWord(state)}</StatusBadge>;
}

export function QualityBadge({ quality }: { readonly quality: Quality }): ReactNode {
  return <StatusBadge tone={qualityTone(quality)}>{qualityWord(quality)}</StatusBadge>;
}

export function SeverityBadge({ severity }: { readonly severity: FindingSeverity }): ReactNode {
  return <StatusBadge tone={severityTone(severity)}>{severityWord(severity)}</StatusBadge>;
}

export function ReleaseStateBadge({ state }: { readonly state: ReleaseState }): ReactNode {
  return <StatusBadge tone={releaseTone(state)}>{releaseWord(state)}</StatusBadge>;
}

export { bindWord, qualityWord, releaseWord, severityWord, statusWord } from "./words";
