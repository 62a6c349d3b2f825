import { Component, type ReactNode } from "react";
import { Button, Stack, Text, Title } from "@mantine/core";
import { NotLoaded } from "../parts/lazily";
import { NotLoadedYet } from "./notloaded";

/** Keeps a mistake of one page from taking the console away. A new page begins anew. */
export class Boundary extends Component<{ children: ReactNode }, { failed?: "missing" | "broken" }> {
  override state: { failed?: "missing" | "broken" } = {};

  static getDerivedStateFromError(error: unknown): { failed: "missing" | "broken" } {
    return { failed: error instanceof NotLoaded ? "missing" : "broken" };
  }

  override render(): ReactNode {
    if (this.state.failed === undefined) return this.props.children;
    if (this.state.failed === "missing") return <NotLoadedYet />;
    return (
      <Stack role="alert" align="flex-start" maw={560}>
        <Title order={1} size="h2">
          This page broke
        </Title>
        <Text>
          That is a mistake of the console. Nothing was changed by it; the trunkline command does everything that the console does.
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
