import { Button, Center, Loader, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

/** What is shown before anything can be shown. With onRetry: the server did not answer. */
export function Splash({ onRetry }: { onRetry?: () => void }): ReactNode {
  return (
    <Center component="main" mih="100dvh" p="md">
      {onRetry === undefined ? (
        <Loader aria-label="The console is loading" />
      ) : (
        <Stack align="center" gap="sm" role="alert">
          <Title order={1} size="h3">
            The server does not answer
          </Title>
          <Text c="dimmed">Nothing is lost. Check that operator-management runs, then try again.</Text>
          <Button onClick={onRetry}>Try again</Button>
        </Stack>
      )}
    </Center>
  );
}
