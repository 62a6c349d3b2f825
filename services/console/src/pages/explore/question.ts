import type { MessageType } from "@gen/routing/v1/types_pb";

/** An account that nobody has: only global rules count for it. */
export const nobody = "00000000-0000-4000-8000-000000000000";

/** The engine takes at most so many. */
export const mostExcluded = 32;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function isId(text: string): boolean {
  return uuid.test(text);
}

/** What is asked. */
export interface Question {
  /** E.164. */
  readonly to: string;
  readonly accountId: string;
  readonly type: MessageType;
  readonly exclude: readonly string[];
}
