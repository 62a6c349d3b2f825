import { type ReactNode, useEffect, useId, useRef } from "react";
import classes from "./page.module.css";

interface PageProps {
  readonly title: string;
  /** One short sentence under the title. */
  readonly purpose?: ReactNode;
  readonly actions?: ReactNode;
  /** Lifts the limit of 1800 px. */
  readonly wide?: boolean;
  readonly children: ReactNode;
}

// The first page of a visit leaves the focus where the browser put it.
let visited = false;

/** The frame of every page. After navigation its title has the focus, so that screen readers say where one is. */
export function Page({ title, purpose, actions, wide = false, children }: PageProps): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Trunkline`;
  }, [title]);
  useEffect(() => {
    const within = document.activeElement?.closest("[role=dialog], input, textarea");
    if (visited && !within) heading.current?.focus({ preventScroll: true });
    visited = true;
  }, []);
  return (
    <div className={classes.page} data-wide={wide || undefined}>
      <header className={classes.head}>
        <div className={classes.titles}>
          <h1 ref={heading} tabIndex={-1} className={classes.title}>
            {title}
          </h1>
          {purpose !== undefined && <p className={classes.purpose}>{purpose}</p>}
        </div>
        {actions !== undefined && <div className={classes.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

interface SectionProps {
  readonly title: string;
  readonly description?: ReactNode;
  readonly actions?: ReactNode;
  /** Without padding, for tables. */
  readonly flush?: boolean;
  readonly children: ReactNode;
}

export function Section({ title, description, actions, flush = false, children }: SectionProps): ReactNode {
  const id = useId();
  return (
    <section className={classes.section} aria-labelledby={id}>
      <header className={classes.sectionHead}>
        <div className={classes.titles}>
          <h2 id={id} className={classes.sectionTitle}>
            {title}
          </h2>
          {description !== undefined && <p className={classes.purpose}>{description}</p>}
        </div>
        {actions !== undefined && <div className={classes.actions}>{actions}</div>}
      </header>
      <div className={classes.body} data-flush={flush || undefined}>
        {children}
      </div>
    </section>
  );
}

export interface Fact {
  readonly label: string;
  readonly value: ReactNode;
}

export function Facts({ items }: { readonly items: readonly Fact[] }): ReactNode {
  return (
    <dl className={classes.facts}>
      {items.map((item) => (
        <div key={item.label} className={classes.fact}>
          <dt>{item.label}</dt>
          <dd>{item.value}</dd>
        </div>
      ))}
    </dl>
  );
}
