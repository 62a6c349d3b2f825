import { Tabs } from "@mantine/core";
import type { ReactNode } from "react";
import { Role, useMay } from "../../api/caller";
import { Page } from "../../parts/page";
import { useParams } from "../../parts/params";
import { Forbidden } from "../../parts/states";
import classes from "./access.module.css";
import { AccountDrawer } from "./accountdrawer";
import { Accounts } from "./accounts";
import { NewAccount } from "./createaccount";
import { NewKey } from "./createkey";
import { Keys } from "./keys";
import { NewButton } from "./newbutton";
import { Roles } from "./roles";
import { useKeyText } from "./usekeytext";

const tabs = ["accounts", "keys", "roles"] as const;
const labels: Readonly<Record<(typeof tabs)[number], string>> = { accounts: "Accounts", keys: "API keys", roles: "Roles" };

/** Who may call, and what. */
export default function Access(): ReactNode {
  const admin = useMay(Role.ADMIN);
  const unbound = useMay(Role.ADMIN, true);
  const [{ tab, new: fresh }, set] = useParams({ tab: "accounts", new: "", edit: "" });
  // Above the tabs, so that a key that nobody has kept yet does not go with one of them.
  const [showText, textDialog] = useKeyText();
  const shown = tabs.find((one) => one === tab) ?? "accounts";
  const create = (): void => set({ new: "1" }, "push");
  const close = (): void => set({ new: "" });
  return (
    <Page
      title="Access"
      purpose="Accounts are customers, API keys let servers and scripts in, roles say what they may do."
      actions={
        <>
          {shown === "accounts" && unbound && <NewButton label="New account" onClick={create} />}
          {shown === "keys" && admin && <NewButton label="New key" onClick={create} />}
        </>
      }
    >
      <Tabs value={shown} onChange={(next) => set({ tab: next ?? "accounts", new: "", edit: "" }, "push")} keepMounted={false}>
        <Tabs.List className={classes.tabs ?? ""}>
          {tabs
            .filter((one) => one !== "keys" || admin)
            .map((one) => (
              <Tabs.Tab key={one} value={one}>
                {labels[one]}
              </Tabs.Tab>
            ))}
        </Tabs.List>
        <Tabs.Panel value="accounts" className={classes.panel ?? ""}>
          <Accounts />
        </Tabs.Panel>
        <Tabs.Panel value="keys" className={classes.panel ?? ""}>
          {admin ? <Keys onText={showText} /> : <Forbidden needs="an admin" />}
        </Tabs.Panel>
        <Tabs.Panel value="roles" className={classes.panel ?? ""}>
          <Roles />
        </Tabs.Panel>
      </Tabs>
      <AccountDrawer />
      {unbound && <NewAccount opened={shown === "accounts" && fresh !== ""} onClose={close} />}
      {admin && <NewKey opened={shown === "keys" && fresh !== ""} onClose={close} onText={showText} />}
      {textDialog}
    </Page>
  );
}
