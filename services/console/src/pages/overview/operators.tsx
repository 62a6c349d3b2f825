import { BindState } from "@gen/events/v1/operator_health_event_pb";
import { OperatorStatus } from "@gen/operators/v1/operator_pb";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Answer } from "../../parts/answer";
import { Count } from "../../parts/figures";
import { Section } from "../../parts/page";
import { withParams } from "../../parts/params";
import { Empty } from "../../parts/states";
import { StatusBadge, type Tone } from "../../parts/status";
import type { useEveryone } from "../../live/everyone";
import { type Present, type Trouble, troubleWords } from "../../live/present";
import classes from "./overview.module.css";

interface Line {
  readonly word: string;
  readonly tone: Tone;
  readonly href: string;
  readonly is: (one: Present) => boolean;
}

const active = ({ operator }: Present): boolean => operator.status === OperatorStatus.ACTIVE;
const status = (word: string, bind?: string): string => withParams("/operators", { status: word, bind });

/** As the health page counts. */
const state = (trouble: Trouble, tone: Tone): Line => ({
  word: troubleWords[trouble],
  tone,
  href: withParams("/health", { state: trouble }),
  is: (one) => one.trouble === trouble,
});

const groups: readonly { readonly label: string; readonly lines: readonly Line[] }[] = [
  {
    label: "Active, by bind",
    lines: [
      { word: "Bound", tone: "good", href: status("active", "bound"), is: (one) => active(one) && one.bind === BindState.BOUND },
      { word: "Failback", tone: "warning", href: status("active", "failback"), is: (one) => active(one) && one.bind === BindState.FAILBACK },
      { word: "Unbound", tone: "bad", href: status("active", "unbound"), is: (one) => active(one) && one.bind === BindState.UNBOUND },
      { word: "Unknown", tone: "idle", href: status("active", "unknown"), is: (one) => active(one) && one.bind === BindState.UNSPECIFIED },
    ],
  },
  {
    label: "Active, by state",
    lines: [
      state("good", "good"),
      state("watch", "warning"),
      state("unknown", "idle"),
      state("down", "bad"),
      state("receives", "info"),
    ],
  },
  {
    label: "Not in use",
    lines: [
      { word: "Suspended", tone: "warning", href: status("suspended"), is: ({ operator }) => operator.status === OperatorStatus.SUSPENDED },
      { word: "Inactive", tone: "idle", href: status("inactive"), is: ({ operator }) => operator.status === OperatorStatus.INACTIVE },
    ],
  },
];

/** How many operators are how; each count opens them. */
export function Operators({ everyone: { query, all } }: { readonly everyone: ReturnType<typeof useEveryone> }): ReactNode {
  return (
    <Section title="Operators">
      {query.data === undefined ? (
        <Answer query={query} height={168}>
          {() => null}
        </Answer>
      ) : all.length === 0 ? (
        <Empty title="No operators yet">Make the first one on the page Operators, or import a file of them.</Empty>
      ) : (
        <div className={classes.groups}>
          {groups.map(({ label, lines }) => (
            <div key={label} role="group" aria-label={label}>
              <p className={classes.groupLabel}>{label}</p>
              <ul className={classes.counts}>
                {lines.map((line) => (
                  <CountLine key={line.word} line={line} count={all.filter(line.is).length} />
                ))}
              </ul>
            </div>
          ))}
        </div>
      )}
    </Section>
  );
}

function CountLine({ line, count }: { readonly line: Line; readonly count: number }): ReactNode {
  return (
    <li>
      <Link href={line.href} className={classes.count} data-none={count === 0 || undefined}>
        <StatusBadge tone={count === 0 ? "idle" : line.tone} quiet>
          {line.word}
        </StatusBadge>
        <strong>
          <Count value={count} />
        </strong>
      </Link>
    </li>
  );
}
