import { Select } from "@mantine/core";
import { type Release, type ReleaseDiffSummary, ReleaseState } from "@gen/releases/v1/release_pb";
import { type ReactNode, useMemo } from "react";
import { counted, countText } from "../../parts/figures";
import { useParam } from "../../parts/params";
import { Empty, Failed, Loading } from "../../parts/states";
import { changeCount, summaryCounts } from "./cautions";
import { ChangeTable } from "./changetable";
import { useDiff } from "./diff";
import classes from "./releases.module.css";
import { named, nameOf, titleOf } from "../../parts/standing";

interface ChangesProps {
  readonly release: Release;
  readonly active: Release | undefined;
  readonly releases: readonly Release[];
}

/** What differs from the release in force, or from a chosen one. */
export function Changes({ release, active, releases }: ChangesProps): ReactNode {
  const [chosen, setChosen] = useParam("base");
  const base = chosen === "" ? usualBase(release, active, releases) : named(releases, chosen);
  const baseId = chosen === "" ? (base?.releaseId ?? "") : chosen;
  return (
    <div className={classes.stack}>
      <BaseSelect label="Compare with" value={chosen} onChange={setChosen} release={release} active={active} releases={releases} />
      {baseId === release.releaseId ? (
        <Empty title={`${titleOf(release)} is compared with itself`}>Choose another release to compare it with.</Empty>
      ) : (
        <Comparison key={baseId} release={release} base={base} baseId={baseId} inForce={baseId === active?.releaseId} />
      )}
    </div>
  );
}

/** The one in force; of that itself the one that it replaced, since nothing differs from itself. */
export function usualBase(release: Release, active: Release | undefined, releases: readonly Release[]): Release | undefined {
  if (active === undefined || active.releaseId !== release.releaseId) return active;
  const former = named(releases, release.lastActivation?.formerReleaseId ?? "");
  return former === undefined || former.state === ReleaseState.EXPIRED || former.releaseId === release.releaseId ? undefined : former;
}

interface BaseSelectProps extends ChangesProps {
  readonly label: string;
  /** "" is the usual one. */
  readonly value: string;
  readonly onChange: (id: string) => void;
}

export function BaseSelect({ label, value, onChange, release, active, releases }: BaseSelectProps): ReactNode {
  const usual = usualBase(release, active, releases);
  const itself = active?.releaseId === release.releaseId;
  const first =
    usual === undefined ? "nothing: every rule and price is new"
    : itself ? `${nameOf(usual)}, which it replaced`
    : `${nameOf(usual)}, which is in force`;
  const data = [
    { value: "usual", label: first[0]?.toUpperCase() + first.slice(1) },
    ...releases
      .filter(({ releaseId, state }) => releaseId === value || (releaseId !== release.releaseId && state !== ReleaseState.EXPIRED))
      .map((one) => ({ value: one.releaseId, label: `${titleOf(one)}${one.description === "" ? "" : `: ${one.description.slice(0, 60)}`}` })),
  ];
  if (value !== "" && named(releases, value) === undefined) data.push({ value, label: value });
  return (
    <Select
      label={label}
      data={data}
      value={value === "" ? "usual" : value}
      onChange={(next) => {
        onChange(next === null || next === "usual" ? "" : next);
      }}
      allowDeselect={false}
      searchable={data.length > 8}
      maw={480}
    />
  );
}

interface ComparisonProps {
  readonly release: Release;
  readonly base: Release | undefined;
  readonly baseId: string;
  readonly inForce: boolean;
}

function Comparison({ release, base, baseId, inForce }: ComparisonProps): ReactNode {
  const diff = useDiff(release.releaseId, baseId);
  const against = baseId === "" ? "nothing, since there is no other release to compare it with" : `${nameOf(base)}${inForce ? ", which is in force" : ""}`;
  if (diff.state === "failed" && diff.problem !== undefined) return <Failed problem={diff.problem} onRetry={diff.retry} />;
  if (diff.summary === undefined) return <Loading height={480} lines={8} label="Comparing" />;
  if (diff.summary.identical) {
    return (
      <Empty title={`${titleOf(release)} has the same content as ${against}`}>
        Nothing would change for traffic: rules, prices and exchange rates are the same.
      </Empty>
    );
  }
  return (
    <>
      <Summary summary={diff.summary} title={`${titleOf(release)} against ${against}`} />
      <ChangeTable diff={diff} total={changeCount(diff.summary)} />
    </>
  );
}

function Summary({ summary, title }: { readonly summary: ReleaseDiffSummary; readonly title: string }): ReactNode {
  const groups = useMemo(() => summaryCounts(summary), [summary]);
  return (
    <section aria-label={title}>
      <p className={classes.lead}>{title}</p>
      <dl className={classes.tiles}>
        {groups.map(({ subject, counts }) => {
          const told = counts.filter(({ count }) => count !== 0n);
          return (
            <div key={subject} className={classes.tile}>
              <dt>{subject}</dt>
              {told.length === 0 && <dd className={classes.dim}>unchanged</dd>}
              {told.map(({ count, word }) => (
                <dd key={word}>
                  <strong>{countText(count)}</strong> {word}
                </dd>
              ))}
            </div>
          );
        })}
        <div className={classes.tile}>
          <dt>prefixes</dt>
          <dd>
            <strong>{countText(summary.prefixCount)}</strong> affected
          </dd>
        </div>
      </dl>
      <p className={classes.srOnly}>{counted(changeCount(summary), ["change", "changes"])} in all</p>
    </section>
  );
}
