import { MessageType } from "@gen/routing/v1/types_pb";

/** Words of ?type= in addresses. */
const types: Readonly<Record<string, MessageType>> = { SMS: MessageType.SMS, FLASH: MessageType.FLASH, WAP: MessageType.WAP };

export function typeOf(text: string): MessageType {
  return types[text] ?? MessageType.SMS;
}

export function typeParam(type: MessageType): string {
  return Object.keys(types).find((word) => types[word] === type) ?? "SMS";
}
