import { Component, type ReactNode } from "react";
import { Button, Stack, Text, Title } from "@mantine/core";

/** Keeps a mistake of one page from taking the console away. A new page begins anew. */
export class Boundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <Stack role="alert" align="flex-start" maw={560}>
        <Title order={1} size="h2">
          This page broke
        </Title>
        <Text>
          That is a mistake of the console, or it was updated since you opened it. Nothing was changed by it; the trunkline command does
          everything that the console does.
        </Text>
        <Button
          onClick={() => {
            window.location.reload();
          }}
        >
          Load the console again
        </Button>
      </Stack>
    );
  }
}
