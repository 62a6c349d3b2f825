import { Button } from "@mantine/core";
import type { ExplainRouteResponse } from "@gen/routing/v1/routing_pb";
import type { ReactNode } from "react";
import { nanosText } from "../../parts/money";
import { Price } from "../../parts/price";
import { Carrier } from "./carrier";
import classes from "./explore.module.css";
import type { Question } from "./question";
import { useExplain } from "./useexplain";

interface CompareProps {
  readonly question: Question;
  readonly answer: ExplainRouteResponse;
  readonly onClear: () => void;
}

/** What the answer would be with nobody left out, beside the one that is shown. */
export function Compare({ question, answer, onClear }: CompareProps): ReactNode {
  const { data, isPlaceholderData } = useExplain({ ...question, exclude: [] });
  return (
    <div className={classes.compare}>
      <div className={classes.compareText} aria-live="polite">
        {data === undefined || isPlaceholderData ? (
          "Comparing with the answer that leaves nobody out…"
        ) : data.result.case !== "decision" ? (
          "With nobody left out there is no route either."
        ) : (
          <>
            With nobody left out: <Carrier id={data.result.value.operatorId} name={data.result.value.operatorName} /> for <Price money={data.result.value.unitPrice} />.{" "}
            {differenceText(data, answer)}
          </>
        )}
      </div>
      <Button variant="default" size="compact-sm" onClick={onClear}>
        Leave nobody out
      </Button>
    </div>
  );
}

/** What leaving operators out costs, where both answers have a price in one currency. */
export function differenceText(all: ExplainRouteResponse, without: ExplainRouteResponse): string {
  if (all.result.case !== "decision") return "";
  if (without.result.case !== "decision") return "Without them there is no route.";
  const before = all.result.value.unitPrice;
  const after = without.result.value.unitPrice;
  if (all.result.value.operatorId === without.result.value.operatorId) return "The answer is the same.";
  if (before === undefined || after === undefined || before.currencyCode !== after.currencyCode) return "The prices cannot be compared.";
  const more = after.nanos - before.nanos;
  if (more === 0n) return "The price is the same.";
  return `This answer costs ${nanosText(more < 0n ? -more : more)} ${after.currencyCode} ${more < 0n ? "less" : "more"} per segment.`;
}
