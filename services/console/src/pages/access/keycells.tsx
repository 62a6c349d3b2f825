import type { ApiKey } from "@gen/access/v1/api_key_pb";
import type { ReactNode } from "react";
import { AccountName } from "../../parts/names";
import { StatusBadge } from "../../parts/status";
import { Ago } from "../../parts/when";
import { stateOf, stateTones, stateWords } from "./keystate";

export function State({ apiKey }: { readonly apiKey: ApiKey }): ReactNode {
  const state = stateOf(apiKey, new Date());
  return <StatusBadge tone={stateTones[state]}>{stateWords[state]}</StatusBadge>;
}

export function Scope({ accountId }: { readonly accountId: string }): ReactNode {
  return accountId === "" ? <span>All accounts</span> : <AccountName id={accountId} />;
}

export function End({ apiKey: { expireTime } }: { readonly apiKey: ApiKey }): ReactNode {
  return expireTime === undefined ? <span>No end</span> : <Ago time={expireTime} />;
}

export function Used({ apiKey: { lastUsedTime } }: { readonly apiKey: ApiKey }): ReactNode {
  return lastUsedTime === undefined ? <span>Never</span> : <Ago time={lastUsedTime} />;
}
