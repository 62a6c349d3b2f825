import type { ReactNode } from "react";
import { Link } from "wouter";
import { useMay, Role } from "../../api/caller";
import classes from "./explore.module.css";

/** An operator as the engine calls it. Who is bound to one account has no page of it. */
export function Carrier({ id, name }: { readonly id: string; readonly name: string }): ReactNode {
  const linked = useMay(Role.VIEWER, true);
  const text = name === "" ? id : name;
  if (!linked) return <>{text}</>;
  return (
    <Link href={`/operators/${id}`} className={classes.link}>
      {text}
    </Link>
  );
}
