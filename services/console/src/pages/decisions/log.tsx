import { Button } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import { Code } from "@connectrpc/connect";
import { type ReactNode, useId } from "react";
import type { DrawerState } from "../../parts/drawer";
import { useParam } from "../../parts/params";
import { Failed, Forbidden, Loading } from "../../parts/states";
import classes from "./decisions.module.css";
import type { Filter } from "./filters";
import { DecisionList, useDecisionList } from "./list";
import { Plots } from "./plots";
import { totalsOf } from "./series";
import { Totals } from "./totals";
import { troubleOf, TroubleNote } from "./trouble";
import { type Look, useFigures } from "./uselook";

interface LogProps {
  readonly filter: Filter;
  readonly look: Look;
  readonly drawer: DrawerState;
  readonly onClear: () => void;
}

/** Sums, plots and decisions of the window. Plots can be folded: on a phone they are until somebody asks, because the table comes after them. */
export function DecisionLog({ filter, look, drawer, onClear }: LogProps): ReactNode {
  const narrow = useMediaQuery("(max-width: 760px)", false, { getInitialValueInEffect: false });
  const [wanted, setWanted] = useParam("plots");
  const shown = wanted === "" ? !narrow : wanted === "1";
  const figures = useFigures(filter, look, shown);
  const list = useDecisionList(filter, look);
  const id = useId();
  const { all, byOperator, byReason } = figures;
  const { data } = list;
  const sums = shown ? [all, byOperator, byReason] : [all];
  // A table without rows says itself why.
  const rows = { problem: data.staleSince === undefined ? undefined : data.problem, at: data.staleSince, retry: data.retry };
  const trouble = troubleOf([...sums, rows]);
  if (all.data === undefined && all.problem !== undefined && data.state === "failed") {
    const again = (): void => {
      for (const { retry } of [...sums, data]) retry();
    };
    return all.problem.code === Code.PermissionDenied ? <Forbidden problem={all.problem} /> : <Failed problem={all.problem} onRetry={again} />;
  }
  const totals = all.data === undefined ? undefined : totalsOf(all.data.summaries);
  const unknown = totals === undefined && all.problem !== undefined;
  const Chevron = shown ? IconChevronUp : IconChevronDown;
  return (
    <>
      {totals !== undefined ? <Totals totals={totals} /> : unknown ? <Totals totals={undefined} /> : <Loading height={66} lines={2} />}
      <div className={classes.fold}>
        <Button
          variant="default"
          size="compact-sm"
          aria-expanded={shown}
          aria-controls={id}
          leftSection={<Chevron size={14} aria-hidden />}
          onClick={() => setWanted(shown ? "0" : "1")}
        >
          {shown ? "Hide plots" : "Show plots"}
        </Button>
        {trouble !== undefined && <TroubleNote trouble={trouble} />}
      </div>
      <div id={id} className={classes.plots} hidden={!shown || unknown}>
        {shown && !unknown && <Plots figures={figures} step={look.window.step} />}
      </div>
      <DecisionList list={list} total={all.at === undefined ? undefined : totals?.decisions} filter={filter} look={look} drawer={drawer} onClear={onClear} />
    </>
  );
}
