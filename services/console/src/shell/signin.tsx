import { Button, Center, Code, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { createClient } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { CallerService } from "@gen/access/v1/caller_service_pb";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { describe } from "../api/errors";
import { type SessionEnd, signIn } from "../api/session";

const reasons: Record<SessionEnd, string> = {
  "signed-out": "You are signed out. This tab has forgotten the key.",
  refused: "The server no longer takes the key: it ended, or somebody revoked it. What you were looking at opens again when you sign in.",
};

/** Asks for an API key or a token and tries it before it is kept. */
export function SignIn({ end }: { end?: SessionEnd }): ReactNode {
  const transport = useTransport();
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    document.title = "Sign in · Trunkline";
  }, []);
  // What the last session was told, and what it could undo, is not for the next; answers may come in until then.
  useEffect(() => {
    notifications.clean();
    return () => notifications.clean();
  }, []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const key = text.trim();
    if (key === "") {
      setProblem("Paste an API key or a token.");
      return;
    }
    setBusy(true);
    try {
      await createClient(CallerService, transport).getCaller({}, { headers: { authorization: `Bearer ${key}` } });
      signIn(key);
    } catch (error) {
      const { title, message } = describe(error);
      setProblem(`${title}. ${message}`);
      setBusy(false);
    }
  };

  return (
    <Center component="main" mih="100dvh" p="md">
      <Paper component="form" onSubmit={(event: FormEvent) => void submit(event)} withBorder p="xl" w="100%" maw={440} noValidate>
        <Stack>
          <Title order={1} size="h2">
            Trunkline
          </Title>
          {end !== undefined && <Text role="status">{reasons[end]}</Text>}
          <PasswordInput
            label="API key or token"
            description="Kept in this tab only, until it is closed."
            placeholder="tl_…"
            autoComplete="off"
            spellCheck={false}
            data-autofocus
            autoFocus
            value={text}
            onChange={(event) => {
              setText(event.currentTarget.value);
              setProblem("");
            }}
            error={problem === "" ? undefined : problem}
            required
          />
          <Button type="submit" loading={busy}>
            Sign in
          </Button>
          <Text size="sm" c="dimmed">
            An admin makes keys under Access, or with <Code>trunkline keys create</Code>.
          </Text>
        </Stack>
      </Paper>
    </Center>
  );
}
