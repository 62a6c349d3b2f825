import { Anchor, Button } from "@mantine/core";
import { Code } from "@connectrpc/connect";
import { useQuery } from "@connectrpc/connect-query";
import type { Account } from "@gen/access/v1/account_pb";
import { AccountService } from "@gen/access/v1/account_service_pb";
import { IconPencil, IconTrash } from "@tabler/icons-react";
import { type ReactNode, useCallback, useState } from "react";
import { Link } from "wouter";
import { Allowed, Role, useMay } from "../../api/caller";
import { describe } from "../../api/errors";
import { Answer } from "../../parts/answer";
import { Drawer, useDrawer } from "../../parts/drawer";
import { Id } from "../../parts/number";
import { Facts } from "../../parts/page";
import { useParam, withParams } from "../../parts/params";
import { Empty } from "../../parts/states";
import { When } from "../../parts/when";
import classes from "./access.module.css";
import { DeleteAccount } from "./deleteaccount";
import { useDiscard } from "./discard";
import { EditAccount } from "./editaccount";

/** The account of ?account=. */
export function AccountDrawer(): ReactNode {
  const drawer = useDrawer("account", ["edit"]);
  const [edit, setEdit] = useParam("edit");
  const changes = useMay(Role.ADMIN, true);
  const [deleting, setDeleting] = useState(false);
  const query = useQuery(AccountService.method.getAccount, { accountId: drawer.id }, { enabled: drawer.id !== "" });
  const account = drawer.id === "" ? undefined : query.data?.account;
  const editing = edit !== "" && changes;
  const [close, setDirty, discard] = useDiscard(drawer.close, "Throw away your changes?");
  const stop = useCallback(() => {
    setDirty(false);
    setEdit("");
  }, [setDirty, setEdit]);
  const gone = query.error !== null && [Code.NotFound, Code.InvalidArgument].includes(describe(query.error).code);
  return (
    <>
      <Drawer
        id={drawer.id}
        onClose={close}
        title={account?.name ?? "Account"}
        actions={
          account !== undefined && changes && !editing ? (
            <div className={classes.buttons}>
              <Button size="compact-sm" variant="default" leftSection={<IconPencil size={14} aria-hidden />} onClick={() => setEdit("1", "push")}>
                Edit
              </Button>
              <Button size="compact-sm" variant="default" leftSection={<IconTrash size={14} aria-hidden />} onClick={() => setDeleting(true)}>
                Delete
              </Button>
            </div>
          ) : undefined
        }
      >
        {(id) =>
          gone ? (
            <Empty title="There is no such account">It may be deleted by now. Its rules stay, and show its id.</Empty>
          ) : (
            <Answer query={query} height={320}>
              {({ account: one }) =>
                one === undefined || one.accountId !== id ? null : editing ? (
                  <EditAccount key={id} account={one} onDirty={setDirty} onCancel={stop} onDone={stop} />
                ) : (
                  <View account={one} />
                )
              }
            </Answer>
          )
        }
      </Drawer>
      {discard}
      {account !== undefined && (
        <DeleteAccount opened={deleting} onClose={() => setDeleting(false)} account={account} onDone={drawer.close} onRefused={() => void query.refetch()} />
      )}
    </>
  );
}

function View({ account }: { readonly account: Account }): ReactNode {
  const { accountId, notes, createTime, updateTime } = account;
  return (
    <div className={classes.stack}>
      <Facts
        items={[
          { label: "Account id", value: <Id value={accountId} label="account id" /> },
          { label: "Created", value: <When time={createTime} /> },
          { label: "Changed", value: <When time={updateTime} /> },
        ]}
      />
      <p className={notes === "" ? `${classes.prose ?? ""} ${classes.dim ?? ""}` : classes.prose}>{notes === "" ? "No notes." : notes}</p>
      <nav className={classes.links} aria-label="Of this account">
        <Anchor component={Link} href={withParams("/rules", { account: accountId })} inherit>
          Its rules
        </Anchor>
        <Allowed role={Role.ADMIN}>
          <Anchor component={Link} href={withParams("/access", { tab: "keys", of: accountId })} inherit>
            Its keys
          </Anchor>
        </Allowed>
        <Allowed role={Role.ADMIN} unbound>
          <Anchor component={Link} href={withParams("/audit", { entity: "account", entity_id: accountId })} inherit>
            Its history
          </Anchor>
        </Allowed>
      </nav>
    </div>
  );
}
