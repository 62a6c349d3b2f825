import type { ReactNode } from "react";
import { Answer } from "../../parts/answer";
import { counted } from "../../parts/figures";
import { Section } from "../../parts/page";
import { Empty } from "../../parts/states";
import { StatusBadge, type Tone } from "../../parts/status";
import { Ago, Duration, When } from "../../parts/when";
import { byTrouble, consequenceOf, type Dependency, type ProcessHealth, purposeOf, useDependencies } from "../../live/dependencies";
import classes from "./system.module.css";

/** What the process needs, the broken first. It follows by itself. */
export function DependenciesTab(): ReactNode {
  const query = useDependencies();
  return (
    <Answer
      query={query}
      height={520}
      empty={({ dependencies }) => (dependencies.length === 0 ? <Empty title="This process needs nothing">Or it does not tell.</Empty> : undefined)}
    >
      {(health) => (
        <>
          <Readiness health={health} />
          <Section
            title="Dependencies"
            description="Of this process alone; engines have health pages of their own. Probed every 3 s, read every 5 s."
            flush
          >
            <ul className={classes.rows}>
              {[...health.dependencies].sort(byTrouble).map((one) => (
                <Row key={one.name} dependency={one} />
              ))}
            </ul>
          </Section>
        </>
      )}
    </Answer>
  );
}

/** What balancers and people are told. */
export function verdictOf({ ready, dependencies }: ProcessHealth): readonly [tone: Tone, word: string, text: string] {
  const down = dependencies.filter(({ state }) => state === "down");
  const required = down.filter((one) => one.required).map(({ name }) => name);
  if (!ready) {
    const why = required.length > 0 ? `${required.join(", ")} ${required.length === 1 ? "is" : "are"} down.` : "It is starting, or draining before it stops.";
    return ["bad", "Not ready", `Balancers send no calls here: ${why}`];
  }
  if (down.length > 0) return ["warning", "Ready, degraded", `It takes calls without ${counted(down.length, ["optional dependency", "optional dependencies"])}.`];
  return ["good", "Ready", "It takes calls, and everything that it needs works."];
}

function Readiness({ health }: { readonly health: ProcessHealth }): ReactNode {
  const [tone, word, text] = verdictOf(health);
  return (
    <p className={classes.verdict} role="status">
      <StatusBadge tone={tone}>{word}</StatusBadge>
      <span>{text}</span>
    </p>
  );
}

const states: Readonly<Record<Dependency["state"], readonly [tone: Tone, word: string]>> = {
  up: ["good", "Up"],
  down: ["bad", "Down"],
  unknown: ["idle", "Not probed"],
};

function Row({ dependency }: { readonly dependency: Dependency }): ReactNode {
  const { name, required, state, since, checked, latency, lastError } = dependency;
  const [tone, word] = states[state];
  return (
    <li className={classes.row}>
      <div>
        <h3 className={classes.name} style={{ fontSize: "inherit" }}>
          {name}
        </h3>
        <p className={classes.dim}>{required ? "required" : "optional"}</p>
      </div>
      <span>
        <StatusBadge tone={state === "down" && !required ? "warning" : tone}>{word}</StatusBadge>
      </span>
      <div>
        <p className={classes.detail}>
          {since !== undefined && (
            <span>
              since <When time={since} seconds /> (<Ago time={since} />)
            </span>
          )}
          {checked !== undefined && (
            <span>
              last probe took <Duration ms={latency} />
            </span>
          )}
        </p>
        {state === "down" ? (
          <p className={classes.error}>
            {lastError !== "" && <strong>{lastError}. </strong>}
            {consequenceOf(name)}
          </p>
        ) : (
          <p className={classes.dim}>
            {purposeOf(name)}
            {lastError !== "" && ` · last error: ${lastError}`}
          </p>
        )}
      </div>
    </li>
  );
}
