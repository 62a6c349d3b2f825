import { Anchor } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Loading } from "../../parts/states";
import { Section } from "../../parts/page";
import { StatusBadge } from "../../parts/status";
import { Ago } from "../../parts/when";
import type { Alert } from "./alerts";
import classes from "./overview.module.css";

interface AttentionProps {
  readonly alerts: readonly Alert[];
  /** What the headline tells in full. */
  readonly told: Alert | undefined;
  /** Whether enough is known to say that there is nothing. */
  readonly known: boolean;
}

/** What is wrong, since when, what it means, and where to look. */
export function Attention({ alerts, told, known }: AttentionProps): ReactNode {
  const rest = alerts.filter((alert) => alert !== told);
  return (
    <Section title="Needs attention">
      {rest.length > 0 ? (
        <ul className={classes.alerts}>
          {rest.map((alert) => (
            <li key={alert.key} className={classes.alert}>
              <StatusBadge tone={alert.severity === "critical" ? "bad" : "warning"}>{alert.severity === "critical" ? "Critical" : "Warning"}</StatusBadge>
              <div className={classes.alertText}>
                <strong>{alert.text}</strong>
                {alert.since !== undefined && (
                  <span className={classes.since}>
                    began <Ago time={alert.since} />
                  </span>
                )}
                <p className={classes.dim}>{alert.todo}</p>
              </div>
              <Anchor component={Link} href={alert.href} size="sm" className={classes.alertLink ?? ""}>
                {alert.link}
              </Anchor>
            </li>
          ))}
        </ul>
      ) : known ? (
        <p className={classes.nothing}>
          <IconCircleCheck size={18} aria-hidden /> {told === undefined ? "Nothing needs attention" : "Nothing else needs attention"}
        </p>
      ) : (
        <Loading height={96} lines={2} />
      )}
    </Section>
  );
}
