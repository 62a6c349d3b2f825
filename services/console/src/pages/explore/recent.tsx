import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { Msisdn } from "../../parts/number";
import classes from "./explore.module.css";
import { forget, useAsked } from "./history";

/** The last numbers of this tab, kept until it is closed or loaded again. */
export function Recent({ current, onPick }: { readonly current: string; readonly onPick: (number: string) => void }): ReactNode {
  const asked = useAsked();
  return (
    <div className={classes.recent}>
      <span className={classes.dim}>{asked.length === 0 ? "The last 10 numbers show here, in this tab only." : "Asked before in this tab"}</span>
      {asked.map(({ number, answer }) => (
        <button key={number} type="button" className={classes.pick} aria-current={number === current || undefined} onClick={() => onPick(number)}>
          <Msisdn number={number} /> <span className={classes.dim}>{answer === "" ? "no route" : answer}</span>
        </button>
      ))}
      {asked.length > 0 && (
        <Button variant="subtle" color="gray" size="compact-xs" onClick={forget}>
          Forget them
        </Button>
      )}
    </div>
  );
}
