import { Anchor, Tabs } from "@mantine/core";
import { useQuery } from "@connectrpc/connect-query";
import { type GetReleaseResponse, type Release, ReleaseState } from "@gen/releases/v1/release_pb";
import { ReleaseService } from "@gen/releases/v1/release_service_pb";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { describe } from "../../api/errors";
import { Role, useCaller, useMay } from "../../api/caller";
import { Answer } from "../../parts/answer";
import { counted } from "../../parts/figures";
import { stepOf, useJob } from "../../parts/job";
import { Id } from "../../parts/number";
import { Facts, Page, Section } from "../../parts/page";
import { useParam, useParams } from "../../parts/params";
import { Forbidden } from "../../parts/states";
import { ReleaseStateBadge } from "../../parts/status";
import { When } from "../../parts/when";
import { Actions } from "./actions";
import { unapprovedText, useApprovalRequired } from "./approvalneed";
import { fewRules, holds } from "./cautions";
import { Changes } from "./changes";
import { Caution } from "./create";
import { Engines } from "../../parts/enginetable";
import { History } from "./history";
import { Lost } from "./lost";
import { Replay } from "./replay";
import classes from "./releases.module.css";
import { sizeText } from "./size";
import { titleOf, useReleases, useStanding } from "../../parts/standing";
import { Uptake } from "./uptake";
import { Who } from "../../parts/who";

/** One release: what it holds, what it changes, what it would do, and what became of it. */
export function ReleasePage({ id }: { readonly id: string }): ReactNode {
  const query = useQuery(ReleaseService.method.getRelease, { releaseId: id });
  const release = query.data?.release;
  if (query.error !== null && describe(query.error).reason === "NO_SUCH_RELEASE") return <Lost />;
  return (
    <Page
      title={release === undefined ? "Release" : titleOf(release)}
      purpose={release?.description}
      actions={release !== undefined && <Actions release={release} />}
    >
      <Answer query={query} height={640}>
        {(answer) => (answer.release === undefined ? <Lost /> : <Detail release={answer.release} answer={answer} />)}
      </Answer>
    </Page>
  );
}

interface DetailProps {
  readonly release: Release;
  readonly answer: GetReleaseResponse;
}

const tabs = ["changes", "replay", "history", "engines"];

function Detail({ release, answer }: DetailProps): ReactNode {
  const standing = useStanding();
  const all = useReleases();
  const [{ tab }, setParams] = useParams({ tab: "changes", activation: "", change: "", sort: "", q: "" });
  const [activation] = useParam("activation");
  const mayReplay = useMay(Role.OPERATOR, true);
  // Held here, so that a look at another tab does not end it.
  const job = useJob(ReleaseService.method.replayRelease, stepOf);
  const active = standing.data?.release;
  const releases = all.data?.releases ?? [];
  const known = standing.data !== undefined && all.data !== undefined;
  const expired = release.state === ReleaseState.EXPIRED;
  const caution = release.state === ReleaseState.ACTIVE ? fewRules(release, undefined) : fewRules(release, active);
  return (
    <>
      {caution !== undefined && <Caution>{caution}</Caution>}
      {expired && <Caution>Its content was cleared away: it is history, and can be neither compared nor served.</Caution>}
      <Section title="Facts">
        <ReleaseFacts release={release} />
      </Section>
      <Tabs value={tabs.includes(tab) ? tab : "changes"} onChange={(next) => { setParams({ tab: next ?? "changes", change: "", sort: "", q: "" }, "push"); }} keepMounted={false}>
        <Tabs.List aria-label="About this release">
          <Tabs.Tab value="changes">Changes</Tabs.Tab>
          {mayReplay && <Tabs.Tab value="replay">Replay</Tabs.Tab>}
          <Tabs.Tab value="history">History</Tabs.Tab>
          <Tabs.Tab value="engines">Engines</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="changes" pt="md">
          {expired ? <Cleared /> : <Answer query={all} height={480}>{() => known && <Changes release={release} active={active} releases={releases} />}</Answer>}
        </Tabs.Panel>
        <Tabs.Panel value="replay" pt="md">
          {!mayReplay ? <Forbidden needs="an operator or an admin" /> : expired ? <Cleared /> : <Replay job={job} release={release} active={active} releases={releases} />}
        </Tabs.Panel>
        <Tabs.Panel value="history" pt="md">
          <History activations={answer.activations} releases={releases} />
        </Tabs.Panel>
        <Tabs.Panel value="engines" pt="md">
          <div className={classes.stack}>
            {/^\d{1,18}$/.test(activation) && <Uptake releaseId={release.releaseId} activation={BigInt(activation)} releases={releases} />}
            <Engines engines={answer.engines} releases={releases} />
          </div>
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function Cleared(): ReactNode {
  return <p className={classes.note}>There is nothing to look at any more. Releases that were in force last are kept, and drafts of the last days.</p>;
}

function ReleaseFacts({ release }: { readonly release: Release }): ReactNode {
  return (
    <Facts
      items={[
        { label: "State", value: <ReleaseStateBadge state={release.state} /> },
        { label: "Holds", value: holds(release) },
        {
          label: "Warnings when made",
          value: release.warningCount === 0n ? "none" : (
            <Anchor component={Link} href="/rules/check" size="sm">{counted(release.warningCount, ["warning", "warnings"])}: check the live rules</Anchor>
          ),
        },
        { label: "Made", value: <><When time={release.createTime} seconds /> by <Who name={release.createdBy} /></> },
        { label: "Approved", value: <Approved release={release} /> },
        { label: "Last in force from", value: <LastTime release={release} /> },
        { label: "Of configuration version", value: String(release.configVersion) },
        { label: "Size", value: `${sizeText(release.sizeBytes)}, stored as ${sizeText(release.storedBytes)}` },
        { label: "Digest, SHA-256", value: <Id value={release.digest} label="digest" /> },
        { label: "Release id", value: <Id value={release.releaseId} label="release id" /> },
      ]}
    />
  );
}

function Approved({ release }: { readonly release: Release }): ReactNode {
  const caller = useCaller();
  const required = useApprovalRequired();
  if (release.approveTime !== undefined) return <><When time={release.approveTime} seconds /> by <Who name={release.approvedBy} /></>;
  return unapprovedText(release, required, caller.name);
}

function LastTime({ release: { lastActivation } }: { readonly release: Release }): ReactNode {
  if (lastActivation === undefined) return "never published";
  if (lastActivation.cancelled) return "called off before its time";
  return <><When time={lastActivation.activateTime} seconds /> by <Who name={lastActivation.createdBy} /></>;
}
