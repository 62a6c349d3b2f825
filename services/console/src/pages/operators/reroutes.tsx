import { Loader } from "@mantine/core";
import { callUnaryMethod, useTransport } from "@connectrpc/connect-query";
import type { Operator } from "@gen/operators/v1/operator_pb";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { RoutingService } from "@gen/routing/v1/routing_service_pb";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { useEngine } from "../../api/engine";
import { describe } from "../../api/errors";
import { counted, countText } from "../../parts/figures";
import { Msisdn } from "../../parts/number";
import { explorePath } from "./links";
import classes from "./operators.module.css";
import { fatesOf, type Group, type RerouteSummary, summarize } from "./reroute";

/** How many of the rules are looked at. */
export const most = 200;

const rules: readonly [string, string] = ["rule", "rules"];

/** Who takes over from an operator, asked of an engine rule by rule. */
export function Reroutes({ operator }: { operator: Operator }): ReactNode {
  const { operatorId } = operator;
  const transport = useTransport();
  const engine = useEngine();
  const [done, setDone] = useState(0);
  const preview = useQuery({
    queryKey: ["operators", "reroute", operatorId],
    queryFn: async ({ signal }) => {
      setDone(0);
      const page = await callUnaryMethod(transport, RoutingRuleService.method.listRoutingRules, { operatorId, pageSize: most }, { signal });
      const fates = await fatesOf(
        page.rules,
        operator,
        (query) => callUnaryMethod(engine, RoutingService.method.explainRoute, { query }, { signal }),
        { now: new Date(), signal, tell: setDone },
      );
      return { summary: summarize(fates), more: page.nextPageToken !== "" };
    },
    gcTime: 0,
    staleTime: Infinity,
    retry: false,
  });
  return (
    <div>
      <p className={classes.previewTitle}>Who takes over</p>
      {preview.isPending && (
        <span className={classes.dim} role="status">
          <Loader size={12} aria-hidden /> Asking an engine{done === 0 ? "" : `, ${counted(done, rules)} so far`}…
        </span>
      )}
      {preview.error !== null && (
        <span className={classes.dim} role="status">
          That is not known: {describe(preview.error).message}
        </span>
      )}
      {preview.data !== undefined && <Outcome summary={preview.data.summary} more={preview.data.more} without={operatorId} />}
    </div>
  );
}

function Outcome({ summary, more, without }: { summary: RerouteSummary; more: boolean; without: string }): ReactNode {
  const { moves, shared, none } = summary;
  if (moves.length === 0 && shared.count + none.count === 0 && unchanged(summary).length === 0) return <span>No rule uses it: nothing moves.</span>;
  return (
    <>
      <ul className={classes.list}>
        {none.count > 0 && (
          <li>
            <strong>No route: {counted(none.count, rules)}</strong>
            <Examples group={none} without={without} />
          </li>
        )}
        {moves.map((one) => (
          <li key={one.operatorId}>
            Moves to <Link href={`/operators/${one.operatorId}`}>{one.operatorName}</Link>: {counted(one.count, rules)}
            <Examples group={one} without={without} />
          </li>
        ))}
        {shared.count > 0 && (
          <li>
            Its share goes to the other weighted operators: {counted(shared.count, rules)}
            <Examples group={shared} without={without} />
          </li>
        )}
        {unchanged(summary).map(([why, count]) => (
          <li key={why}>
            {why}: {counted(count, rules)}
          </li>
        ))}
      </ul>
      {more && <span className={classes.dim}>These are the first {countText(most)} rules that use it; there are more.</span>}
    </>
  );
}

/** Rules that stay as they are, and why. */
function unchanged({ others, already, hidden, off }: RerouteSummary): readonly (readonly [why: string, count: number])[] {
  const all = [
    ["Others carry already", others.count],
    ["Nobody carries now either", already.count],
    ["Longer prefixes answer", hidden.count],
    ["Switched off or not in force", off.count],
  ] as const;
  return all.filter(([, count]) => count > 0);
}

/** Links to the decision as it will be without the operator. */
function Examples({ group, without }: { group: Group; without: string }): ReactNode {
  if (group.examples.length === 0) return null;
  return (
    <span className={classes.examples}>
      , e.g.{" "}
      {group.examples.map(({ number, account }, index) => (
        <span key={`${number} ${account}`}>
          {index > 0 && ", "}
          <Link href={explorePath(number, { account, exclude: without })}>
            <Msisdn number={number} reveal />
          </Link>
        </span>
      ))}
    </span>
  );
}
