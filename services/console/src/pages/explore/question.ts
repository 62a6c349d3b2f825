import { MessageType } from "@gen/routing/v1/types_pb";

/** Words of ?type=. */
export const types: Readonly<Record<string, MessageType>> = { SMS: MessageType.SMS, FLASH: MessageType.FLASH, WAP: MessageType.WAP };

export function typeOf(text: string): MessageType {
  return types[text] ?? MessageType.SMS;
}

export function typeParam(type: MessageType): string {
  return Object.keys(types).find((word) => types[word] === type) ?? "SMS";
}

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
