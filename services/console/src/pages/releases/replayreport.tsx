import { Table } from "@mantine/core";
import type { Release, ReplayReport } from "@gen/releases/v1/release_pb";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Bars } from "../../parts/bars";
import { counted, countText } from "../../parts/figures";
import { Prefix } from "../../parts/number";
import { Section } from "../../parts/page";
import { Empty } from "../../parts/states";
import { When } from "../../parts/when";
import { Caution } from "./create";
import { shareText } from "./percent";
import { Costs } from "./replaycosttable";
import { lossReason } from "./replaycosts";
import { Moves } from "./replaymoves";
import classes from "./releases.module.css";
import { named, nameOf, titleOf } from "../../parts/standing";

const decisionsWord = ["decision", "decisions"] as const;

interface ReportProps {
  readonly report: ReplayReport;
  readonly release: Release;
  readonly active: Release | undefined;
  readonly releases: readonly Release[];
}

/** What a replay found; what is lost comes first, because a release must not do that unseen. */
export function Report({ report, release, active, releases }: ReportProps): ReactNode {
  const base = named(releases, report.baseReleaseId);
  const inForce = active !== undefined && report.baseReleaseId === active.releaseId;
  if (report.decisionCount === 0n) {
    return (
      <>
        <BadLines report={report} />
        <Empty title="Nothing was replayed">
          {report.badLineCount > 0n
            ? "No line of the file can be read: give a number such as +447911123456 in each line, or CSV with the header number,account,message_type,count."
            : "No decision was logged in that time: go further back, or give a file of numbers."}
        </Empty>
      </>
    );
  }
  return (
    <div className={classes.stack} role="region" aria-label="Result of the replay">
      <p className={classes.lead} role="status">
        {counted(report.decisionCount, decisionsWord)} as of <When time={report.decideTime} seconds />: {nameOf(release)} against {nameOf(base)}
        {inForce && ", which is in force"}
      </p>
      {report.baseReleaseId === release.releaseId && (
        <Caution>{titleOf(release)} is compared with itself, so nothing can move: choose another release under “Against”.</Caution>
      )}
      <Losses report={report} />
      <Shares report={report} />
      <Moves report={report} />
      <Costs report={report} />
      <BadLines report={report} />
    </div>
  );
}

function Losses({ report }: { readonly report: ReplayReport }): ReactNode {
  if (report.lostCount === 0n) return null;
  return (
    <section className={classes.lost} aria-label="Lost routes">
      <h2 className={classes.lostTitle}>
        <IconAlertTriangle size={18} aria-hidden /> {counted(report.lostCount, ["decision loses its route", "decisions lose their route"])} (
        {shareText(report.lostCount, report.decisionCount)})
      </h2>
      <Table.ScrollContainer minWidth={320} maxHeight={320} scrollAreaProps={{ viewportProps: { tabIndex: 0, role: "region", "aria-label": "Lost routes by prefix" } }}>
        <Table verticalSpacing={6}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Numbers</Table.Th>
              <Table.Th scope="col" ta="end">Decisions</Table.Th>
              <Table.Th scope="col">Reason</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {report.losses.map((loss) => (
              <Table.Tr key={`${loss.prefix} ${loss.reason}`}>
                <Table.Td><Prefix value={loss.prefix} /></Table.Td>
                <Table.Td ta="end">{countText(loss.count)}</Table.Td>
                <Table.Td>
                  {lossReason(loss.reason)} <code className={classes.code}>{loss.reason}</code>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {report.losses.length === 100 && <p className={classes.note}>The 100 prefixes that lose most are shown.</p>}
    </section>
  );
}

function Shares({ report }: { readonly report: ReplayReport }): ReactNode {
  const rows = [
    { label: "Same operator", count: report.sameCount, tone: "idle" as const },
    { label: "Other operator", count: report.movedCount, tone: "info" as const },
    { label: "Route lost", count: report.lostCount, tone: "bad" as const },
    { label: "Route gained", count: report.gainedCount, tone: "good" as const },
    { label: "No route in both", count: report.noRouteCount, tone: "warning" as const },
  ];
  return (
    <Section title="Decisions">
      <Bars
        label="Decisions by what becomes of them"
        rows={rows.map(({ label, count, tone }) => ({
          label,
          bars: [{ word: "", size: Number(count), text: `${countText(count)} (${shareText(count, report.decisionCount)})`, tone }],
        }))}
      />
    </Section>
  );
}

function BadLines({ report }: { readonly report: ReplayReport }): ReactNode {
  if (report.badLineCount === 0n) return null;
  return (
    <Section title="Lines that cannot be read" description={`${counted(report.badLineCount, ["line was", "lines were"])} left out.`}>
      <Table.ScrollContainer minWidth={320} maxHeight={320} scrollAreaProps={{ viewportProps: { tabIndex: 0, role: "region", "aria-label": "Lines that cannot be read" } }}>
        <Table verticalSpacing={6}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col" ta="end">Line</Table.Th>
              <Table.Th scope="col">What is wrong</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {report.badLines.slice(0, shownLines).map((line) => (
              <Table.Tr key={String(line.line)}>
                <Table.Td ta="end">{countText(line.line)}</Table.Td>
                <Table.Td>{line.message}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {report.badLineCount > BigInt(shownLines) && <p className={classes.note}>The first {countText(shownLines)} are shown.</p>}
    </Section>
  );
}

/** How many of up to 1000 are worth a look. */
const shownLines = 200;
