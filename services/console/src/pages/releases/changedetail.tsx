import { Anchor } from "@mantine/core";
import { type ReleaseChange, ReleaseChangeKind, ReleaseSubject } from "@gen/releases/v1/release_pb";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { AccountName, OperatorName } from "../../parts/names";
import { Id, Prefix } from "../../parts/number";
import { Facts, type Fact } from "../../parts/page";
import { Price } from "../../parts/price";
import { StatusBadge } from "../../parts/status";
import { messageTypeWord } from "../../parts/words";
import { kindOf, subjectWord } from "./changewords";
import { basisPointsText } from "./percent";
import classes from "./releases.module.css";

/** Everything about one change, and where what it is about lives now. */
export function ChangeDetail({ change }: { readonly change: ReleaseChange }): ReactNode {
  const { label, tone } = kindOf(change.kind);
  const items: Fact[] = [
    { label: "Kind", value: <StatusBadge tone={tone}>{label}</StatusBadge> },
    { label: "What", value: subjectWord(change.subject) },
  ];
  if (change.prefix !== "") items.push({ label: "Prefix", value: <Prefix value={change.prefix} /> });
  if (change.subject === ReleaseSubject.RULE) {
    items.push({ label: "Account", value: change.accountId === "" ? "all accounts" : <AccountName id={change.accountId} /> });
  }
  if (change.subject === ReleaseSubject.RATE) {
    items.push(
      { label: "Operator", value: <OperatorName id={change.operatorId} /> },
      { label: "Message type", value: messageTypeWord(change.messageType) },
      { label: "Before", value: <Price money={change.before} /> },
      { label: "After", value: <Price money={change.after} /> },
    );
  }
  if (change.changeBasisPoints !== 0n) items.push({ label: "Change", value: basisPointsText(change.changeBasisPoints) });
  if (change.entityId !== "") items.push({ label: "Id", value: <Id value={change.entityId} /> });
  return (
    <div className={classes.stack}>
      <Facts items={items} />
      {change.details.length > 0 && (
        <ul className={classes.plainList}>
          {change.details.map((detail) => (
            <li key={detail}>{detail}</li>
          ))}
        </ul>
      )}
      <NowLink change={change} />
    </div>
  );
}

function NowLink({ change }: { readonly change: ReleaseChange }): ReactNode {
  if (change.entityId === "") return null;
  const path = change.subject === ReleaseSubject.RULE ? "/rules" : change.subject === ReleaseSubject.OPERATOR ? "/operators" : undefined;
  if (path === undefined) return null;
  return (
    <p className={classes.note}>
      <Anchor component={Link} href={`${path}/${change.entityId}`} inherit>
        The {subjectWord(change.subject).toLowerCase()} as it is now
      </Anchor>
      {change.kind === ReleaseChangeKind.REMOVED ? ", if it still exists." : " may have changed since the release was made."}
    </p>
  );
}
