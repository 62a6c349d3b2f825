import { Button, Group, PasswordInput, Stack } from "@mantine/core";
import { createClient } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import type { GetCallerResponse } from "@gen/access/v1/caller_pb";
import { CallerService } from "@gen/access/v1/caller_service_pb";
import { type FormEvent, type ReactNode, useState } from "react";
import { describe } from "../api/errors";

interface SignInFormProps {
  /** The server takes the key: whose it is. */
  readonly onCaller: (key: string, caller: GetCallerResponse) => void;
  /** A way out besides signing in, before the button that does. */
  readonly other?: ReactNode;
}

/** Asks for an API key or a token and tries it before it is kept. */
export function SignInForm({ onCaller, other }: SignInFormProps): ReactNode {
  const transport = useTransport();
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    // A dialog stands within the React tree of the form that it came up over.
    event.stopPropagation();
    const key = text.trim();
    if (key === "") {
      setProblem("Paste an API key or a token.");
      return;
    }
    setBusy(true);
    try {
      onCaller(key, await createClient(CallerService, transport).getCaller({}, { headers: { authorization: `Bearer ${key}` } }));
    } catch (error) {
      const { title, message } = describe(error);
      setProblem(`${title}. ${message}`);
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      <Stack>
        <PasswordInput
          label="API key or token"
          description="Kept in this tab only, until it is closed."
          placeholder="tl_…"
          autoComplete="off"
          spellCheck={false}
          data-autofocus
          // A dialog moves the focus by itself, and remembers where it was.
          autoFocus={other === undefined}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setProblem("");
          }}
          error={problem === "" ? undefined : problem}
          required
        />
        {other === undefined ? (
          <Button type="submit" loading={busy}>
            Sign in
          </Button>
        ) : (
          <Group justify="flex-end" gap="sm">
            {other}
            <Button type="submit" loading={busy}>
              Sign in
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}
