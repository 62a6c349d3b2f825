import { Switch } from "@mantine/core";
import { useQuery } from "@connectrpc/connect-query";
import type { Setting } from "@gen/operators/v1/system_pb";
import { SystemService } from "@gen/operators/v1/system_service_pb";
import { type ReactNode, useMemo } from "react";
import { Role, useMay } from "../../api/caller";
import { Filters } from "../../parts/filter";
import { useParams } from "../../parts/params";
import { SearchBox } from "../../parts/search";
import { Empty, Forbidden } from "../../parts/states";
import { columnsOf, DataTable } from "../../parts/table";
import { useLocalRows } from "../../parts/tablequery";
import { changed, hidden, matching } from "./settings";
import classes from "./system.module.css";

/** What the process was told, for admins. */
export function SettingsTab(): ReactNode {
  return useMay(Role.ADMIN, true) ? <Settings /> : <Forbidden needs="an admin" />;
}

const column = columnsOf<Setting>();

const columns = [
  column.accessor("key", { header: "Setting", size: 300, meta: { mono: true, narrow: true } }),
  column.display({ id: "value", header: "Value", size: 300, meta: { grow: 2 }, cell: ({ row }) => <Value setting={row.original} /> }),
  column.display({ id: "origin", header: "From", size: 180, cell: ({ row }) => <Origin setting={row.original} /> }),
];

function Settings(): ReactNode {
  const query = useQuery(SystemService.method.listSettings, {});
  const [{ q, only }, set] = useParams({ q: "", only: "" });
  const all = query.data?.settings;
  const rows = useMemo(() => all && matching(all, q, only === "changed"), [all, q, only]);
  const data = useLocalRows(rows, query);
  return (
    <>
      <Filters>
        <SearchBox label="Search settings" placeholder="Key, value or origin" value={q} onChange={(next) => set({ q: next })} />
        <Switch label="Not default only" checked={only === "changed"} onChange={(event) => set({ only: event.currentTarget.checked ? "changed" : "" })} />
      </Filters>
      <DataTable
        label="Settings"
        noun={["setting", "settings"]}
        columns={columns}
        data={data}
        id={({ key }) => key}
        second={(setting) => (
          <>
            <Value setting={setting} />
            <Origin setting={setting} />
          </>
        )}
        needs="an admin"
        empty={<Empty title="No setting is like that">Search for less, or show those with their default, too.</Empty>}
      />
    </>
  );
}

function Value({ setting }: { readonly setting: Setting }): ReactNode {
  if (hidden(setting)) return <span className={classes.none}>hidden</span>;
  if (setting.value === "") return <span className={classes.none}>empty</span>;
  return (
    <span className={classes.code} title={setting.value}>
      {setting.value}
    </span>
  );
}

function Origin({ setting }: { readonly setting: Setting }): ReactNode {
  return <span className={changed(setting) ? undefined : classes.none}>{setting.origin}</span>;
}
