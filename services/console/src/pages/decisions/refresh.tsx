import { Button } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import type { ReactNode } from "react";
import classes from "./decisions.module.css";
import type { Look } from "./uselook";

/** Whether the page reads again by itself, and the way to stop that. */
export function Refresh({ look }: { readonly look: Look }): ReactNode {
  if (!look.endsNow) return null;
  return (
    <>
      <span className={classes.dim}>{look.paused ? "Paused" : "Every 10 s"}</span>
      <Button
        variant="default"
        leftSection={look.paused ? <IconPlayerPlay size={16} aria-hidden /> : <IconPlayerPause size={16} aria-hidden />}
        onClick={() => look.setPaused(!look.paused)}
      >
        {look.paused ? "Go on" : "Pause"}
      </Button>
    </>
  );
}
