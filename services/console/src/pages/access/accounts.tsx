import type { Account } from "@gen/access/v1/account_pb";
import { AccountService } from "@gen/access/v1/account_service_pb";
import { type ReactNode, useMemo } from "react";
import { Role, useCaller, useMay } from "../../api/caller";
import { useDrawer } from "../../parts/drawer";
import { Filters } from "../../parts/filter";
import { Moment, momentWidth } from "../../parts/moment";
import { Id } from "../../parts/number";
import { useParam } from "../../parts/params";
import { SearchBox } from "../../parts/search";
import { Empty } from "../../parts/states";
import { columnsOf, DataTable } from "../../parts/table";
import { useTableQuery } from "../../parts/tablequery";
import { Ago } from "../../parts/when";
import classes from "./access.module.css";

const column = columnsOf<Account>();
const columns = [
  column.accessor("name", { header: "Name", size: 200, meta: { grow: 2, narrow: true } }),
  column.accessor("notes", { header: "Notes", size: 220, meta: { grow: 3 } }),
  column.display({ id: "created", header: "Created", size: momentWidth.minutes, meta: { grow: 0 }, cell: ({ row }) => <Moment time={row.original.createTime} /> }),
  column.display({ id: "updated", header: "Changed", size: 140, meta: { grow: 0 }, cell: ({ row }) => <Ago time={row.original.updateTime} /> }),
  column.display({ id: "id", header: "Id", size: 140, meta: { grow: 0 }, cell: ({ row }) => <Id value={row.original.accountId} label="account id" /> }),
];

/** The accounts that the caller sees. */
export function Accounts(): ReactNode {
  const { accountId: bound } = useCaller();
  const mayCreate = useMay(Role.ADMIN, true);
  const [search, setSearch] = useParam("q");
  const drawer = useDrawer("account", ["edit"]);
  const input = useMemo(() => ({ search }), [search]);
  const data = useTableQuery(AccountService.method.listAccounts, input, { rows: (page) => page.accounts });
  return (
    <>
      {bound === "" && (
        <Filters>
          <SearchBox label="Search accounts" placeholder="Name" value={search} onChange={setSearch} />
        </Filters>
      )}
      <DataTable
        label="Accounts"
        noun={["account", "accounts"]}
        columns={columns}
        data={data}
        id={(account) => account.accountId}
        name={(account) => account.name}
        href={(account) => drawer.href(account.accountId)}
        onOpen={(account) => drawer.open(account.accountId)}
        current={drawer.id}
        second={(account) => <span className={classes.cut}>{account.notes === "" ? "No notes" : account.notes}</span>}
        empty={
          search !== "" ? (
            <Empty title="No account has such a name">Search for less.</Empty>
          ) : (
            <Empty title="No accounts yet">
              {mayCreate ? "Make the first one. Rules and keys may then belong to it." : "An admin can make the first one."} Without accounts all
              rules are global.
            </Empty>
          )
        }
      />
    </>
  );
}
