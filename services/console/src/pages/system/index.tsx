import { Tabs } from "@mantine/core";
import type { ReactNode } from "react";
import { Page } from "../../parts/page";
import { useParam } from "../../parts/params";
import { DependenciesTab } from "./dependenciestab";
import { EventsTab } from "./eventstab";
import { SettingsTab } from "./settingstab";
import classes from "./system.module.css";
import { VersionsTab } from "./versionstab";

const tabs = [
  { value: "dependencies", label: "Dependencies", panel: DependenciesTab },
  { value: "events", label: "Events", panel: EventsTab },
  { value: "versions", label: "Versions", panel: VersionsTab },
  { value: "settings", label: "Settings", panel: SettingsTab },
] as const;

/** What the process that serves the console needs, is and was told. */
export default function System(): ReactNode {
  const [tab, setTab] = useParam("tab", "dependencies");
  const shown = tabs.find(({ value }) => value === tab) ?? tabs[0];
  return (
    <Page title="System" purpose="The process that serves this console: what it needs, what waits in it, and how it is set up.">
      <Tabs value={shown.value} onChange={(next) => setTab(next ?? "", "push")} keepMounted={false}>
        <Tabs.List className={classes.tabs ?? ""}>
          {tabs.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {tabs.map(({ value, panel: Panel }) => (
          <Tabs.Panel key={value} value={value} className={classes.panel ?? ""}>
            <Panel />
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  );
}
