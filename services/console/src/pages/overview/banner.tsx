import { Skeleton, VisuallyHidden } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconCircleDashed, IconCircleX, IconInfoCircle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Tone } from "../../parts/status";
import { Ago } from "../../parts/when";
import type { Alert } from "./alerts";
import type { Headline } from "./headline";
import classes from "./overview.module.css";

const icons: Readonly<Record<Tone, typeof IconCircleCheck>> = {
  good: IconCircleCheck,
  warning: IconAlertTriangle,
  bad: IconCircleX,
  idle: IconCircleDashed,
  info: IconInfoCircle,
};

/** The answer in one look. Screen readers are told when it changes, but not every second. */
export function Banner({ headline }: { readonly headline: Headline | undefined }): ReactNode {
  const Icon = icons[headline?.tone ?? "idle"];
  return (
    <div className={classes.banner} data-tone={headline?.tone ?? "idle"}>
      {headline === undefined ? (
        <Skeleton height={24} width="min(420px, 80%)" />
      ) : (
        <>
          <Icon size={26} stroke={1.8} className={classes.bannerIcon} aria-hidden />
          <div className={classes.said}>
            <p className={classes.headline}>{headline.text}</p>
            {headline.alert !== undefined && <Todo alert={headline.alert} />}
          </div>
          {headline.aside !== "" && <span className={classes.aside}>{headline.aside}</span>}
        </>
      )}
      <VisuallyHidden role="status">{headline?.text ?? ""}</VisuallyHidden>
    </div>
  );
}

function Todo({ alert: { since, todo, href, link } }: { readonly alert: Alert }): ReactNode {
  return (
    <p className={classes.todo}>
      {since !== undefined && (
        <>
          It began <Ago time={since} />.{" "}
        </>
      )}
      {todo}{" "}
      <Link href={href} className={classes.todoLink}>
        {link}
      </Link>
    </p>
  );
}
