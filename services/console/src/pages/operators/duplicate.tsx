import type { Operator } from "@gen/operators/v1/operator_pb";
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Problem } from "../../api/errors";
import { useOperatorNames } from "../../parts/names";
import { Note } from "./note";
import { addressOf } from "./rows";
import type { OperatorValues } from "./values";

export interface Twin {
  readonly operator: Operator;
  /** What both have: the name, or the connection. */
  readonly by: "name" | "connection";
}

/** The live operator that leaves no place for these values. */
export function twinOf(values: OperatorValues, live: readonly Operator[], self = ""): Twin | undefined {
  const others = live.filter(({ operatorId }) => operatorId !== self);
  const name = values.name.trim();
  const named = others.find((one) => one.name === name);
  if (named !== undefined) return { operator: named, by: "name" };
  const host = values.host.trim().toLowerCase();
  const same = others.find((one) => one.host === host && String(one.port) === values.port.trim() && one.systemId === values.systemId);
  return same === undefined ? undefined : { operator: same, by: "connection" };
}

/** Says which operator is in the way after DUPLICATE_OPERATOR, and what can be done. */
export function DuplicateNote({ problem, values, self }: { problem: Problem | undefined; values: OperatorValues; self?: string }): ReactNode {
  const { live } = useOperatorNames();
  if (problem?.reason !== "DUPLICATE_OPERATOR") return null;
  const twin = twinOf(values, live, self);
  if (twin === undefined) {
    return <Note tone="warning">{problem.message}</Note>;
  }
  const { operator, by } = twin;
  return (
    <Note tone="warning">
      {by === "name" ? (
        <>There is a live operator of this name. Choose another name, or change </>
      ) : (
        <>
          Two live operators cannot bind as {operator.systemId} to {addressOf(operator)}. Choose another system_id, or change{" "}
        </>
      )}
      <Link href={`/operators/${operator.operatorId}`}>{operator.name}</Link>.
    </Note>
  );
}
