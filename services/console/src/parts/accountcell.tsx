import type { ReactNode } from "react";
import { useAccountNames } from "./names";
import { shortId } from "./shortid";
import classes from "./values.module.css";

interface AccountCellProps {
  readonly id: string;
  /** What no account is called. */
  readonly none: string;
}

/** An account in a row of a table: its name, or where it has none any more the end of its id, which the title has whole. */
export function AccountCell({ id, none }: AccountCellProps): ReactNode {
  const { name } = useAccountNames();
  if (id === "") return <span>{none}</span>;
  const known = name(id);
  if (known !== undefined) return <span title={`${known}, ${id}`}>{known}</span>;
  return (
    <span className={classes.mono} title={id}>
      {shortId(id)}
    </span>
  );
}
