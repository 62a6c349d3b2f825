import { Button, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect, useState } from "react";
import { loadSettings } from "../api/settings";

/** Milliseconds between two questions whether the server is back. */
const pause = 3_000;

/**
 * In place of a page that did not come. When the server is gone, the console is loaded again as soon as it answers; when it answers at
 * once, the page is missing because another console was installed, and somebody has to say when: it could be missing again.
 */
export function NotLoadedYet(): ReactNode {
  const [answers, setAnswers] = useState<boolean>();
  useEffect(() => {
    let here = true;
    let gone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = () => {
      loadSettings().then(
        () => {
          if (!here) return;
          if (gone) window.location.reload();
          else setAnswers(true);
        },
        () => {
          if (!here) return;
          gone = true;
          setAnswers(false);
          timer = setTimeout(ask, pause);
        },
      );
    };
    ask();
    return () => {
      here = false;
      clearTimeout(timer);
    };
  }, []);
  return (
    <Stack role="alert" align="flex-start" maw={560}>
      <Title order={1} size="h2">
        {answers === true ? "The console was updated" : "This page is not loaded yet"}
      </Title>
      <Text>
        {answers === true
          ? "Since you opened it another version was installed, and this page is part of that one."
          : "The server does not answer, and this page was not opened before. It is loaded as soon as the server answers; pages that were open still show what they know."}
      </Text>
      {answers === true && (
        <Button
          onClick={() => {
            window.location.reload();
          }}
        >
          Load the console again
        </Button>
      )}
    </Stack>
  );
}
