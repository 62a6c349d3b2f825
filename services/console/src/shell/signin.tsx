import { Center, Code, Paper, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type ReactNode, useEffect } from "react";
import { type SessionEnd, signIn } from "../api/session";
import { SignInForm } from "./signinform";

const reasons: Record<SessionEnd, string> = {
  "signed-out": "You are signed out. This tab has forgotten the key.",
  refused: "The server no longer takes the key: it ended, or somebody revoked it. What you were looking at opens again when you sign in.",
};

/** The page of who is not signed in. */
export function SignIn({ end }: { end?: SessionEnd }): ReactNode {
  useEffect(() => {
    document.title = "Sign in · Trunkline";
  }, []);
  // What the last session was told, and what it could undo, is not for the next; answers may come in until then.
  useEffect(() => {
    notifications.clean();
    return () => notifications.clean();
  }, []);
  return (
    <Center component="main" mih="100dvh" p="md">
      <Paper withBorder p="xl" w="100%" maw={440}>
        <Stack>
          <Title order={1} size="h2">
            Trunkline
          </Title>
          {end !== undefined && <Text role="status">{reasons[end]}</Text>}
          <SignInForm
            onCaller={(key) => {
              signIn(key);
            }}
          />
          <Text size="sm" c="dimmed">
            An admin makes keys under Access, or with <Code>trunkline keys create</Code>.
          </Text>
        </Stack>
      </Paper>
    </Center>
  );
}
