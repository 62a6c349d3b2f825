import { Button, Switch } from "@mantine/core";
import { IconPlus, IconUpload } from "@tabler/icons-react";
import { type ReactNode, useMemo } from "react";
import { useLocation } from "wouter";
import { Allowed, Role, useMay } from "../../api/caller";
import { countText } from "../../parts/figures";
import { FilterChips, Filters } from "../../parts/filter";
import { Page } from "../../parts/page";
import { useListParam, useParam, useParams } from "../../parts/params";
import { SearchBox } from "../../parts/search";
import { Empty } from "../../parts/states";
import { OperatorStatusBadge, StatusBadge } from "../../parts/status";
import { DataTable } from "../../parts/table";
import { binds, columns, qualities, statuses, valuesIn } from "./columns";
import { CreateDrawer } from "./create";
import { ExportButton } from "./export";
import { ImportDrawer } from "./import";
import { operatorPath } from "./links";
import { useLiveHealth } from "./livehealth";
import { NotYours } from "./notyours";
import { addressOf, deleted, type OperatorRow } from "./rows";
import { mostOperators, useOperators } from "./useoperators";

const statusOptions = [
  { value: "active", label: "Active" },
  { value: "inactive", label: "Inactive" },
  { value: "suspended", label: "Suspended" },
];
const bindOptions = [
  { value: "bound", label: "Bound" },
  { value: "failback", label: "Failback" },
  { value: "unbound", label: "Unbound" },
  { value: "unknown", label: "Unknown" },
];
const qualityOptions = [
  { value: "healthy", label: "Healthy" },
  { value: "degraded", label: "Degraded" },
  { value: "unhealthy", label: "Unhealthy" },
  { value: "unknown", label: "Unknown" },
];

/** All operators, with what they are and how they are. */
export function List(): ReactNode {
  const [, go] = useLocation();
  const edits = useMay(Role.OPERATOR, true);
  const [search, setSearch] = useParam("q");
  const [status, setStatus] = useListParam("status");
  const [bind, setBind] = useListParam("bind");
  const [quality, setQuality] = useListParam("quality");
  const sort = useParam("sort");
  const [gone, setGone] = useParam("deleted");
  const [open, setOpen] = useParams({ new: "", import: "" });
  useLiveHealth();

  const input = useMemo(
    () => ({ search, statuses: valuesIn(status, statuses), bindStates: valuesIn(bind, binds), showDeleted: gone === "1" }),
    [search, status, bind, gone],
  );
  const chosen = useMemo(() => valuesIn(quality, qualities), [quality]);
  const { data, beyond } = useOperators(input, chosen);
  const filtered = search !== "" || status.length > 0 || bind.length > 0 || quality.length > 0;

  return (
    <Page
      title="Operators"
      purpose="Connections to mobile operators and aggregators: what they carry, and how they are right now."
      actions={
        <>
          <ExportButton filter={input} qualities={chosen} />
          <Allowed role={Role.OPERATOR} unbound>
            <Button variant="default" leftSection={<IconUpload size={16} aria-hidden />} onClick={() => setOpen({ import: "1" }, "push")}>
              Import
            </Button>
            <Button data-shortcut="new" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOpen({ new: "1" }, "push")}>
              New operator
            </Button>
          </Allowed>
        </>
      }
    >
      {!edits && (open.new !== "" || open.import !== "") && <NotYours deed="To make or import operators" onClose={() => setOpen({ new: "", import: "" })} />}
      <Filters>
        <SearchBox label="Search operators" placeholder="Name, host or system_id" value={search} onChange={setSearch} />
        <FilterChips label="Status" value={status} onChange={setStatus} options={statusOptions} />
        <FilterChips label="Bind" value={bind} onChange={setBind} options={bindOptions} />
        <FilterChips label="Quality" value={quality} onChange={setQuality} options={qualityOptions} />
      </Filters>
      <DataTable
        label="Operators"
        noun={["operator", "operators"]}
        columns={columns}
        data={data}
        id={(row) => row.operator.operatorId}
        name={(row) => row.operator.name}
        href={(row) => operatorPath(row.operator.operatorId)}
        onOpen={(row) => go(operatorPath(row.operator.operatorId))}
        second={second}
        sort={sort}
        tools={
          <>
            {beyond && <span>{`Sorted by name. With fewer than ${countText(mostOperators)} they can be sorted otherwise: search first.`}</span>}
            <Switch size="xs" label="Deleted too" checked={gone === "1"} onChange={(event) => setGone(event.currentTarget.checked ? "1" : "")} />
          </>
        }
        empty={
          filtered ? (
            <Empty title="No operator is like that">Take a filter away, or search for less.</Empty>
          ) : (
            <Empty title="No operators yet">{edits ? "Make the first one, or import a file of them." : "Somebody with the role operator can make the first one."}</Empty>
          )
        }
      />
      {edits && (
        <>
          <CreateDrawer opened={open.new !== ""} onClose={() => setOpen({ new: "" }, "close")} />
          <ImportDrawer opened={open.import !== ""} onClose={() => setOpen({ import: "" }, "close")} />
        </>
      )}
    </Page>
  );
}

/** What narrow windows show under the name. */
function second({ operator, health }: OperatorRow): ReactNode {
  return (
    <>
      {deleted(operator) ? <StatusBadge tone="idle" quiet>Deleted</StatusBadge> : <OperatorStatusBadge status={operator.status} />}
      {health?.throttled === true && <StatusBadge tone="warning">Throttled</StatusBadge>}
      <span>{addressOf(operator)}</span>
    </>
  );
}
