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
  /** Whether enough is known to say that there is nothing. */
  readonly known: boolean;
}

/** What is wrong, since when, what it means, and where to look. */
export function Attention({ alerts, known }: AttentionProps): ReactNode {
  return (
    <Section title="Needs attention">
      {alerts.length > 0 ? (
        <ul className={classes.alerts}>
          {alerts.map((alert) => (
            <li key={alert.key} className={classes.alert}>
              <StatusBadge tone={alert.severity === "critical" ? "bad" : "warning"}>{alert.severity === "critical" ? "Critical" : "Warning"}</StatusBadge>
              <div className={classes.alertText}>
                <strong>{alert.text}</strong>
                {alert.since !== undefined && (
                  <span className={classes.since}>
                    since <Ago time={alert.since} />
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
          <IconCircleCheck size={18} aria-hidden /> Nothing needs attention
        </p>
      ) : (
        <Loading height={96} lines={2} />
      )}
    </Section>
  );
}
