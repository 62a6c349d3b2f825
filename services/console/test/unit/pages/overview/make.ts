import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb";
import { BindType, OperatorSchema, OperatorStatus } from "@gen/operators/v1/operator_pb";
import { type TrafficPoint, TrafficPointSchema } from "@gen/routing/v1/decision_pb";
import { type Present, troubleOf } from "../../../../src/live/present";

export const now = new Date("2026-11-22T03:00:00Z");
export const ago = (seconds: number): Date => new Date(now.getTime() - seconds * 1000);

interface Made {
  readonly name?: string;
  readonly status?: OperatorStatus;
  readonly bindType?: BindType;
  readonly bind?: BindState;
  readonly quality?: Quality;
  readonly throttled?: boolean;
  /** Never reported when absent. */
  readonly observed?: Date | undefined;
  readonly changed?: Date;
}

/** An active operator that is bound and healthy, as far as nothing else is said. */
export function operator(made: Made = {}): Present {
  const { name = "Nordlink", status = OperatorStatus.ACTIVE, bindType = BindType.TRANSCEIVER } = made;
  const { bind = BindState.BOUND, quality = Quality.HEALTHY, throttled = false, changed = ago(600) } = made;
  const observed = "observed" in made ? made.observed : ago(5);
  const present = {
    operator: create(OperatorSchema, { operatorId: `id of ${name}`, name, status, bindType }),
    bind, quality, throttled, byHand: false, version: 1n, changed,
    ...(observed === undefined ? {} : { observed }),
  };
  return { ...present, trouble: troubleOf(present, now) };
}

/** A point that begins so many seconds after a whole minute. */
export function point(at: number, decisions: number, failed = 0, p95?: number, seconds = 1): TrafficPoint {
  return create(TrafficPointSchema, {
    startTime: timestampFromMs((60 + at) * 1000), seconds, decisionCount: BigInt(decisions), failedCount: BigInt(failed),
    ...(p95 === undefined ? {} : { latencyP95: { seconds: 0n, nanos: p95 * 1_000_000 } }),
  });
}
