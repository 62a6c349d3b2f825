import { Switch } from "@mantine/core";
import type { ApiKey } from "@gen/access/v1/api_key_pb";
import { ApiKeyService } from "@gen/access/v1/api_key_service_pb";
import { type ReactNode, useMemo } from "react";
import { useCaller } from "../../api/caller";
import { AccountCell } from "../../parts/accountcell";
import { useDrawer } from "../../parts/drawer";
import { Filters } from "../../parts/filter";
import { useParam, withParams } from "../../parts/params";
import { AccountSelect } from "../../parts/select";
import { Empty } from "../../parts/states";
import { columnsOf, DataTable } from "../../parts/table";
import { useTableQuery } from "../../parts/tablequery";
import { Ago } from "../../parts/when";
import { roleWord } from "../../parts/words";
import { End, State, Used } from "./keycells";
import { KeyDrawer } from "./keydrawer";
import type { ShownKey } from "./keytext";

const column = columnsOf<ApiKey>();
const columns = [
  column.accessor("name", { header: "Name", size: 120, meta: { grow: 2, narrow: true } }),
  column.display({ id: "state", header: "State", size: 132, meta: { grow: 0, narrow: true }, cell: ({ row }) => <State apiKey={row.original} /> }),
  column.accessor("hint", { header: "Begins with", size: 118, meta: { grow: 0, mono: true } }),
  column.accessor((key) => roleWord(key.role), { id: "role", header: "Role", size: 88, meta: { grow: 0 } }),
  column.display({ id: "account", header: "Account", size: 110, cell: ({ row }) => <AccountCell id={row.original.accountId} none="All accounts" /> }),
  column.display({ id: "created", header: "Created", size: 140, meta: { grow: 0 }, cell: ({ row }) => <Ago time={row.original.createTime} /> }),
  column.display({ id: "expires", header: "Ends", size: 124, meta: { grow: 0 }, cell: ({ row }) => <End apiKey={row.original} /> }),
  column.display({ id: "used", header: "Last used", size: 140, meta: { grow: 0 }, cell: ({ row }) => <Used apiKey={row.original} /> }),
];

/** The keys that the caller may see. */
export function Keys({ onText }: { readonly onText: (key: ShownKey) => void }): ReactNode {
  const { accountId: bound } = useCaller();
  const [account, setAccount] = useParam("of");
  const [gone, setGone] = useParam("ended");
  const drawer = useDrawer("key", ["do"]);
  const input = useMemo(() => ({ accountId: account, showEnded: gone === "1" }), [account, gone]);
  const data = useTableQuery(ApiKeyService.method.listApiKeys, input, { rows: (page) => page.apiKeys });
  return (
    <>
      {bound === "" && (
        <Filters>
          <AccountSelect label="Account" bare placeholder="Of any account" clearable value={account} onChange={setAccount} />
        </Filters>
      )}
      <DataTable
        label="API keys"
        noun={["key", "keys"]}
        columns={columns}
        data={data}
        id={(key) => key.keyId}
        name={(key) => key.name}
        href={(key) => withParams("/access", { tab: "keys", of: account, ended: gone, key: key.keyId })}
        onOpen={(key) => drawer.open(key.keyId)}
        current={drawer.id}
        second={(key) => (
          <>
            <span>{key.hint}…</span>
            <span>{roleWord(key.role)}</span>
            <AccountCell id={key.accountId} none="All accounts" />
          </>
        )}
        needs="an admin"
        tools={<Switch size="xs" label="Ended too" checked={gone === "1"} onChange={(event) => setGone(event.currentTarget.checked ? "1" : "")} />}
        empty={
          account === "" ? (
            <Empty title="No live keys">Whoever calls now does so with a token. Make a key for a server or a script.</Empty>
          ) : (
            <Empty title="This account has no live keys">Make one for it, or look at those that ended.</Empty>
          )
        }
      />
      <KeyDrawer data={data} endedToo={gone === "1"} onEndedToo={() => setGone("1")} onText={onText} />
    </>
  );
}
