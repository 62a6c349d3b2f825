import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { OperatorHealthEvent } from "@gen/events/v1/operator_health_event_pb";
import { readWord, type State } from "../../live/present";

/** One event as it was heard. */
export interface Entry extends State {
  readonly key: number;
  readonly operatorId: string;
  /** When it was observed. */
  readonly at: Date;
  /** 0 is a word by hand. */
  readonly version: bigint;
  /** Before it; undefined when it changed nothing: a heartbeat. */
  readonly before?: State;
}

/** Events that are kept. */
export const longest = 200;

/** Tells changes from heartbeats, and keeps the last of each. Heartbeats never push changes out. */
export class EventLog {
  private readonly states = new Map<string, State>();
  private changes: readonly Entry[] = [];
  private all: readonly Entry[] = [];
  private next = 0;

  /** What is known of an operator before it is first heard of. */
  know(operatorId: string, state: State): void {
    if (!this.states.has(operatorId)) this.states.set(operatorId, state);
  }

  hear(event: OperatorHealthEvent): Entry {
    const before = this.states.get(event.operatorId);
    const state = readWord(event, before ?? { bind: event.status, quality: event.quality });
    this.states.set(event.operatorId, state);
    const changed = before !== undefined && (before.bind !== state.bind || before.quality !== state.quality);
    const entry: Entry = {
      ...state,
      key: this.next++,
      operatorId: event.operatorId,
      at: event.occurredAt === undefined ? new Date() : timestampDate(event.occurredAt),
      version: event.version,
      ...(changed ? { before } : {}),
    };
    this.all = [entry, ...this.all].slice(0, longest);
    if (changed) this.changes = [entry, ...this.changes].slice(0, longest);
    return entry;
  }

  /** Newest first. */
  entries(heartbeats: boolean): readonly Entry[] {
    return heartbeats ? this.all : this.changes;
  }
}
