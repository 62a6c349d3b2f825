import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { ApiKey } from "@gen/access/v1/api_key_pb";
import type { Tone } from "../../parts/status";

export type KeyState = "live" | "ending" | "expired" | "revoked";

/** A key that ends within these milliseconds is one to look after: a week. */
const soon = 7 * 86_400_000;

export function stateOf({ expireTime, revokeTime }: ApiKey, now: Date): KeyState {
  if (revokeTime !== undefined) return "revoked";
  if (expireTime === undefined) return "live";
  const left = timestampDate(expireTime).getTime() - now.getTime();
  if (left <= 0) return "expired";
  return left <= soon ? "ending" : "live";
}

export const stateWords: Readonly<Record<KeyState, string>> = {
  live: "Live",
  ending: "Ends soon",
  expired: "Expired",
  revoked: "Revoked",
};

export const stateTones: Readonly<Record<KeyState, Tone>> = { live: "good", ending: "warning", expired: "idle", revoked: "idle" };

export function ended(state: KeyState): boolean {
  return state === "expired" || state === "revoked";
}

/** Whether it is the key that somebody is signed in with, by the name that audit rows give its holder. */
export function isOwn(keyId: string, callerName: string): boolean {
  return callerName === `key:${keyId}`;
}
