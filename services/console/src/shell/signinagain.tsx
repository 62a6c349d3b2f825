import { Button, Modal, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useCaller } from "../api/caller";
import { signIn, signOut } from "../api/session";
import { shortName } from "../parts/who";
import { SignInForm } from "./signinform";

/**
 * Above the page of a caller whom the server no longer takes. The page stays as it is, with all that was typed: for the same caller
 * with a newer credential, not for another one.
 */
export function SignInAgain({ opened }: { opened: boolean }): ReactNode {
  const { name, accountId } = useCaller();
  const who = shortName(name);
  return (
    <Modal
      opened={opened}
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title="Sign in again"
      centered
      // Above drawers, dialogs and what was told.
      zIndex={1000}
      overlayProps={{ backgroundOpacity: 0.6, blur: 6 }}
    >
      <Stack gap="md">
        <Text size="sm">
          The server no longer takes the credential of {who}: it ended, or somebody revoked it. The page below waits as it is, with all that
          you typed, until {who} is back. Anybody else begins anew.
        </Text>
        <SignInForm
          onCaller={(key, caller) => {
            signIn(key, caller.name === name && caller.accountId === accountId);
          }}
          other={
            <Button variant="default" onClick={signOut}>
              Sign out
            </Button>
          }
        />
      </Stack>
    </Modal>
  );
}
