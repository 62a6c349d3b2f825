import { useQuery } from "@connectrpc/connect-query";
import type { Account } from "@gen/access/v1/account_pb";
import { AccountService } from "@gen/access/v1/account_service_pb";
import { ApiKeyService } from "@gen/access/v1/api_key_service_pb";
import type { ReactNode } from "react";
import { useChange } from "../../parts/change";
import { Confirm } from "../../parts/confirm";
import { counted, countText } from "../../parts/figures";

interface DeleteAccountProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly account: Account;
  readonly onDone: () => void;
  /** Reads the account again: with its present etag the next try may be allowed. */
  readonly onRefused: () => void;
}

/** More keys than this are not counted, only said to be more. */
const most = 1000;

export function DeleteAccount({ opened, onClose, account, onDone, onRefused }: DeleteAccountProps): ReactNode {
  const { accountId, etag, name } = account;
  const keys = useQuery(ApiKeyService.method.listApiKeys, { accountId, pageSize: most }, { enabled: opened, staleTime: 0 });
  const deletion = useChange(AccountService.method.deleteAccount, {
    invalidates: [AccountService, ApiKeyService],
    done: ({ revokedKeys }) =>
      revokedKeys === 0 ? `${name} was deleted. It had no keys.` : `${name} was deleted, and ${counted(revokedKeys, ["key", "keys"])} revoked with it.`,
    onDone,
  });
  const act = async (): Promise<void> => {
    try {
      await deletion.send({ accountId, etag });
    } catch (error) {
      onRefused();
      throw error;
    }
  };
  return (
    <Confirm
      opened={opened}
      onClose={onClose}
      title={`Delete ${name}?`}
      what={[
        "Its keys and tokens are refused from then on, by every process within 2 s.",
        fate(keys.data?.apiKeys.length, (keys.data?.nextPageToken ?? "") !== ""),
        "Its rules stay until somebody deletes them.",
        "This cannot be undone.",
      ]}
      confirm="Delete account"
      danger
      word={name}
      action={act}
    />
  );
}

/** What becomes of the keys; undefined while they are being counted. */
function fate(keys: number | undefined, more: boolean): string {
  if (keys === undefined) return "All its keys are revoked.";
  if (more) return `More than ${countText(most)} keys are revoked.`;
  if (keys === 0) return "It has no live keys.";
  return keys === 1 ? "1 key is revoked." : `${countText(keys)} keys are revoked.`;
}
