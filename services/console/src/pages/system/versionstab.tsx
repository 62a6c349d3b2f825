import { useQuery } from "@connectrpc/connect-query";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { SystemService } from "@gen/operators/v1/system_service_pb";
import type { ReleaseEngine } from "@gen/releases/v1/release_pb";
import { type ReactNode, useEffect, useState } from "react";
import { useSettings } from "../../api/settings";
import { Answer } from "../../parts/answer";
import { Facts, Section } from "../../parts/page";
import { durationText, When } from "../../parts/when";
import { Engines } from "../../parts/enginetable";
import { titleOf, useReleases, useStanding } from "../../parts/standing";
import classes from "./system.module.css";

const every = 15_000;
const noReleases: readonly never[] = [];

/** What runs, and what it was made from. */
export function VersionsTab(): ReactNode {
  const { version, environment, engineUrl } = useSettings();
  const process = useQuery(SystemService.method.getSystem, {}, { refetchInterval: every });
  return (
    <>
      <Answer query={process} height={150}>
        {(system) => (
          <Section title="This process">
            <Facts
              items={[
                { label: "Process", value: system.process },
                { label: "Version", value: <code className={classes.code}>{system.version}</code> },
                { label: "Console", value: <ConsoleVersion console={version} server={system.version} /> },
                { label: "Started", value: <When time={system.startTime} seconds /> },
                { label: "Runs for", value: system.startTime === undefined ? "–" : <Uptime since={timestampDate(system.startTime)} /> },
                { label: "Environment", value: environment === "" ? "not named" : environment },
                { label: "Route decisions come from", value: engineUrl === "" ? "this server" : <code className={classes.code}>{engineUrl}</code> },
              ]}
            />
          </Section>
        )}
      </Answer>
      <Serving />
    </>
  );
}

/** The page was loaded once, and the server may have been updated since. */
function ConsoleVersion({ console, server }: { readonly console: string; readonly server: string }): ReactNode {
  return (
    <>
      <code className={classes.code}>{console}</code>
      {console !== server && " – the server is of another version by now: load the page again"}
    </>
  );
}

function Uptime({ since }: { readonly since: Date }): ReactNode {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 10_000);
    return () => clearInterval(timer);
  }, []);
  return durationText(Math.max(0, Math.floor((now - since.getTime()) / 1000) * 1000));
}

/** What engines serve, and the configuration behind it. */
function Serving(): ReactNode {
  const standing = useStanding();
  const releases = useReleases();
  return (
    <Answer query={standing} height={260}>
      {({ release, engines }) => (
        <>
          <Section title="Configuration">
            <Facts
              items={[
                { label: "Release in force", value: release === undefined ? "none was ever published" : titleOf(release) },
                { label: "Made from configuration version", value: release === undefined ? "–" : String(release.configVersion) },
                { label: "Digest", value: release === undefined ? "–" : <code className={classes.code}>{release.digest.slice(0, 16)}</code> },
                { label: "Activation", value: release?.lastActivation === undefined ? "–" : String(release.lastActivation.activation) },
                { label: "Engines that serve it", value: servingText(engines) },
              ]}
            />
          </Section>
          <Section title="Engines" description="In release mode, heard of in the last minute and a half">
            <Engines engines={engines} releases={releases.data?.releases ?? noReleases} />
          </Section>
        </>
      )}
    </Answer>
  );
}

function servingText(engines: readonly ReleaseEngine[]): string {
  if (engines.length === 0) return "none speaks: engines read the database";
  return `${String(engines.filter(({ current }) => current).length)} of ${String(engines.length)}`;
}
