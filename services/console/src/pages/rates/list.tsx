import { Button, Tabs } from "@mantine/core";
import { IconFileImport } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Allowed, Role } from "../../api/caller";
import { Page } from "../../parts/page";
import { useParam, withParams } from "../../parts/params";
import { FxTab } from "./fx/fx";
import { Prices } from "./prices";

/** What operators charge, and what currencies are worth. */
export function RatesPage(): ReactNode {
  const [tab, setTab] = useParam("tab", "rates");
  const [operator] = useParam("operator");
  return (
    <Page
      title="Rates"
      purpose="What operators charge per message segment. The longest prefix of an operator counts, also when it is dearer."
      actions={
        <Allowed role={Role.OPERATOR}>
          <Button
            component={Link}
            href={withParams("/rates/import", { operator })}
            leftSection={<IconFileImport size={16} aria-hidden />}
            data-shortcut="new"
          >
            Import a deck
          </Button>
        </Allowed>
      }
    >
      <Tabs value={tab === "fx" ? "fx" : "rates"} onChange={(next) => setTab(next ?? "", "push")} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="rates">Prices</Tabs.Tab>
          <Tabs.Tab value="fx">Exchange rates</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="rates">
          <Prices />
        </Tabs.Panel>
        <Tabs.Panel value="fx">
          <FxTab />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
