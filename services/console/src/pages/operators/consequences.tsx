import { Loader } from "@mantine/core";
import type { Operator, OperatorWarning } from "@gen/operators/v1/operator_pb";
import { OperatorStatus } from "@gen/operators/v1/operator_pb";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { describe } from "../../api/errors";
import classes from "./operators.module.css";
import { Reroutes } from "./reroutes";
import { Share } from "./share";
import type { Takedown } from "./usestatus";
import { Warnings } from "./warnings";

interface ConsequencesProps {
  readonly operator: Operator;
  readonly takedown: Takedown;
  readonly check: (input: { operatorId: string; etag: string }) => Promise<{ readonly warnings: readonly OperatorWarning[] }>;
}

/** What taking an operator out of use does to the routes: who takes over, which rules have nobody left, how much it carried. */
export function Consequences({ operator, takedown, check }: ConsequencesProps): ReactNode {
  const { operatorId, etag } = operator;
  const warnings = useQuery({
    queryKey: ["operators", "takedown", takedown, operatorId, etag],
    queryFn: () => check({ operatorId, etag }),
    // What it answers changes with every rule: each dialog asks anew.
    gcTime: 0,
    retry: false,
  });
  return (
    <div className={classes.preview}>
      {operator.status === OperatorStatus.ACTIVE ? (
        <>
          <Share operatorId={operatorId} />
          <Reroutes operator={operator} />
        </>
      ) : (
        <p className={classes.prose}>It is not selected now, so no route changes.</p>
      )}
      <div role="status">
        {warnings.isPending && (
          <span className={classes.dim}>
            <Loader size={12} aria-hidden /> Looking for rules that nobody is left for…
          </span>
        )}
        {warnings.error !== null && <span className={classes.dim}>The server would refuse this: {describe(warnings.error).message}</span>}
        {warnings.data?.warnings.length === 0 && <span>Every rule that uses it keeps an active operator.</span>}
      </div>
      {warnings.data !== undefined && <Warnings warnings={warnings.data.warnings} title="To look at afterwards" />}
    </div>
  );
}
