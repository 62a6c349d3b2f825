import type { ApiKey } from "@gen/access/v1/api_key_pb";
import { ApiKeyService } from "@gen/access/v1/api_key_service_pb";
import type { ReactNode } from "react";
import { useCaller } from "../../api/caller";
import { useChange } from "../../parts/change";
import { Confirm } from "../../parts/confirm";
import { agoText, dateOf } from "../../parts/when";
import classes from "./access.module.css";
import { isOwn } from "./keystate";

interface RevokeKeyProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly apiKey: ApiKey;
}

export function RevokeKey({ opened, onClose, apiKey }: RevokeKeyProps): ReactNode {
  const { name: own } = useCaller();
  const { keyId, name, hint, lastUsedTime } = apiKey;
  const revoke = useChange(ApiKeyService.method.revokeApiKey, { done: `${name} was revoked. Every process refuses it within 2 s.` });
  const mine = isOwn(keyId, own);
  return (
    <Confirm
      opened={opened}
      onClose={onClose}
      title={`Revoke ${name}?`}
      what={[
        `Every process refuses the key that begins with ${hint} within 2 s. Whatever uses it stops working.`,
        lastUsedTime === undefined ? "It was never used." : `It was last used ${agoText(dateOf(lastUsedTime), new Date())}.`,
        "This cannot be undone.",
      ]}
      confirm="Revoke key"
      danger
      // Who revokes the key in hand locks the door behind.
      {...(mine ? { word: name } : {})}
      action={() => revoke.send({ keyId })}
    >
      {mine && <p className={classes.warning}>You are signed in with this key: you will be signed out, and need another one to come back.</p>}
    </Confirm>
  );
}
