import { Button } from "@mantine/core";
import type { AuditRow } from "@gen/access/v1/audit_pb";
import { AuditService } from "@gen/access/v1/audit_service_pb";
import { IconRefresh } from "@tabler/icons-react";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { useCaller } from "../../api/caller";
import { useDrawer } from "../../parts/drawer";
import { Page } from "../../parts/page";
import { useParams, withParams } from "../../parts/params";
import { Empty } from "../../parts/states";
import { DataTable } from "../../parts/table";
import { useTableQuery } from "../../parts/tablequery";
import { Chain } from "./chain";
import { columns, second } from "./columns";
import { useExport } from "./export";
import { AuditFilters, noFilter } from "./filters";
import { actionFilter } from "./kinds";
import { endsNow, spanOf } from "./range";
import { RowDrawer } from "./rowdrawer";

/** How often rows are read anew while the range ends now, in milliseconds. */
const every = 15_000;
/** With more rows than this somebody reads further back: reading all of them anew would disturb. */
const mostRefreshed = 1000;

const rowsOf = ({ rows }: { readonly rows: readonly AuditRow[] }): readonly AuditRow[] => rows;

/** Who changed what. */
export function AuditLog(): ReactNode {
  const { name: self } = useCaller();
  const [params, setParams] = useParams(noFilter);
  const { actor, action, entity, entity_id: entityId, from, to, range } = params;
  const drawer = useDrawer("row");
  const [asked, setAsked] = useState(() => new Date());
  const [long, setLong] = useState(false);
  // The moment is fixed until somebody asks anew: pages belong to one question.
  const filter = useMemo(
    () => ({ actor, action: actionFilter(action), entity, entityId, ...spanOf(range, from, to, asked) }),
    [actor, action, entity, entityId, range, from, to, asked],
  );
  const live = endsNow(range, to);
  const data = useTableQuery(AuditService.method.listAuditRows, useMemo(() => ({ filter }), [filter]), {
    rows: rowsOf,
    ...(live && !long ? { refetchInterval: every } : {}),
  });
  useEffect(() => setLong(data.rows.length > mostRefreshed), [data.rows.length]);
  const [exportButton, exportProgress] = useExport(filter, data.state === "ready" && data.rows.length === 0);
  const actors = useMemo(() => [...new Set([self, "anonymous", "bootstrap", ...data.rows.map((row) => row.actor)])], [self, data.rows]);
  const filtered = Object.values(params).some((value) => value !== "");
  const refresh = (): void => {
    setAsked(new Date());
    data.retry();
  };
  return (
    <Page
      title="Audit"
      purpose="Who changed what, and the proof that nothing was changed in the record."
      actions={
        <>
          {exportButton}
          <Button variant="default" leftSection={<IconRefresh size={16} aria-hidden />} onClick={refresh}>
            Refresh
          </Button>
        </>
      }
    >
      <Chain />
      <AuditFilters params={params} onChange={setParams} actors={actors} />
      {exportProgress}
      <DataTable
        label="Audit rows"
        noun={["row", "rows"]}
        columns={columns}
        data={data}
        id={(row) => row.auditId}
        name={(row) => row.action}
        href={(row) => withParams("/audit", { ...params, row: row.auditId })}
        onOpen={(row) => drawer.open(row.auditId)}
        current={drawer.id}
        second={second}
        needs="an admin"
        tools={live && <span>{long ? "Not refreshed while you read further back" : "Refreshed every 15 s"}</span>}
        empty={
          filtered ? (
            <Empty title="No row is like that">Take a filter away, or choose a longer time.</Empty>
          ) : (
            <Empty title="No rows yet">Every change and every refusal will have one.</Empty>
          )
        }
      />
      <RowDrawer id={drawer.id} onClose={drawer.close} rows={data.rows} />
    </Page>
  );
}
