import { Button } from "@mantine/core";
import { IconArrowBackUp, IconPlus } from "@tabler/icons-react";
import { type Release, ReleaseState } from "@gen/releases/v1/release_pb";
import { type ReactNode, useMemo } from "react";
import { useLocation } from "wouter";
import { Allowed, Role, useMay } from "../../api/caller";
import { counted } from "../../parts/figures";
import { Filters, FilterChips } from "../../parts/filter";
import { Page } from "../../parts/page";
import { Moment, momentWidth } from "../../parts/moment";
import { useListParam, useParam } from "../../parts/params";
import { SearchBox } from "../../parts/search";
import { Empty } from "../../parts/states";
import { ReleaseStateBadge } from "../../parts/status";
import { columnsOf, DataTable } from "../../parts/table";
import { useLocalRows } from "../../parts/tablequery";
import { holds } from "./cautions";
import { NewRelease } from "./create";
import { InForce } from "./inforce";
import classes from "./releases.module.css";
import { canGoBack, formerOne, Rollback } from "./rollback";
import { nameOf, useReleases, useStanding } from "../../parts/standing";
import { Who } from "../../parts/who";

const states = [
  { value: "draft", label: "Draft", state: ReleaseState.DRAFT },
  { value: "approved", label: "Approved", state: ReleaseState.APPROVED },
  { value: "scheduled", label: "Scheduled", state: ReleaseState.SCHEDULED },
  { value: "active", label: "Active", state: ReleaseState.ACTIVE },
  { value: "retired", label: "Retired", state: ReleaseState.RETIRED },
  { value: "expired", label: "Expired", state: ReleaseState.EXPIRED },
] as const;

const column = columnsOf<Release>();

const columns = [
  column.accessor(({ number }) => Number(number), { id: "number", header: "Number", size: 98, meta: { grow: 0, narrow: true, mono: true } }),
  column.accessor("state", { header: "State", size: 108, meta: { grow: 0, narrow: true }, cell: ({ getValue }) => <ReleaseStateBadge state={getValue()} /> }),
  column.accessor("description", {
    header: "Description", size: 210, meta: { grow: 4 },
    cell: ({ getValue }) => (getValue() === "" ? <span className={classes.dim}>no description</span> : <span title={getValue()}>{getValue()}</span>),
  }),
  column.accessor(({ ruleCount }) => Number(ruleCount), {
    id: "holds", header: "Holds", size: 160, cell: ({ row }) => <span title={holds(row.original)}>{rulesAndRates(row.original)}</span>,
  }),
  column.accessor(({ createTime }) => Number(createTime?.seconds ?? 0n), { id: "made", header: "Made", size: momentWidth.minutes, meta: { grow: 0 }, cell: ({ row }) => <Moment time={row.original.createTime} /> }),
  column.accessor("createdBy", { header: "By", size: 96, cell: ({ row }) => <Authors release={row.original} /> }),
  column.accessor(({ lastActivation }) => Number(lastActivation?.activateTime?.seconds ?? 0n), {
    id: "activated", header: "Last in force", size: momentWidth.minutes, meta: { grow: 0 }, cell: ({ row }) => <LastActivation release={row.original} />,
  }),
];

function rulesAndRates({ ruleCount, rateCount }: Release): string {
  return `${counted(ruleCount, ["rule", "rules"])}, ${counted(rateCount, ["rate", "rates"])}`;
}

/** Who made it, and who approved it. */
function Authors({ release: { createdBy, approvedBy } }: { readonly release: Release }): ReactNode {
  return (
    <>
      <Who name={createdBy} />
      {approvedBy !== "" && <span className={classes.dim}>, approved by <Who name={approvedBy} /></span>}
    </>
  );
}

function LastActivation({ release: { lastActivation } }: { readonly release: Release }): ReactNode {
  if (lastActivation === undefined) return <span className={classes.dim}>never</span>;
  // A moment that was called off never came.
  return lastActivation.cancelled ? <span className={classes.dim}>called off</span> : <Moment time={lastActivation.activateTime} />;
}

/** Every release, what is in force, and what engines make of it. */
export function ReleaseList(): ReactNode {
  const all = useReleases();
  const standing = useStanding();
  const [, go] = useLocation();
  const [making, setMaking] = useParam("new");
  const [rollback, setRollback] = useParam("rollback");
  const [search, setSearch] = useParam("q");
  const [chosen, setChosen] = useListParam("state");
  const sort = useParam("sort");
  const mayMake = useMay(Role.OPERATOR, true);
  const mayPublish = useMay(Role.ADMIN, true);
  const releases = all.data?.releases;
  const rows = useMemo(() => releases?.filter((release) => shown(release, search, chosen)), [releases, search, chosen]);
  const data = { ...useLocalRows(rows, all), freshness: all.data?.freshness };
  const newButton = (
    <Allowed role={Role.OPERATOR} unbound>
      <Button data-shortcut="new" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => { setMaking("1", "push"); }}>
        New release
      </Button>
    </Allowed>
  );
  return (
    <Page
      title="Releases"
      purpose="Whole sets of rules and prices: looked at, tried, published, and taken back."
      actions={
        <>
          {mayPublish && standing.data?.release !== undefined && canGoBack(releases) && (
            <Button variant="default" leftSection={<IconArrowBackUp size={16} aria-hidden />} onClick={() => { setRollback(formerOne, "push"); }}>
              Roll back
            </Button>
          )}
          {newButton}
        </>
      }
    >
      <InForce standing={standing} releases={releases ?? []} onCallOff={(id) => { setRollback(id, "push"); }} />
      <Filters>
        <SearchBox label="Search releases" placeholder="Number, description or name" value={search} onChange={setSearch} />
        <FilterChips label="State" value={chosen} onChange={setChosen} options={states} />
      </Filters>
      <DataTable
        label="Releases"
        noun={["release", "releases"]}
        columns={columns}
        data={data}
        id={({ releaseId }) => releaseId}
        href={({ releaseId }) => `/releases/${releaseId}`}
        onOpen={({ releaseId }) => { go(`/releases/${releaseId}`); }}
        sort={sort}
        second={(release) => <span className={classes.cut}>{release.description === "" ? "no description" : release.description} · {rulesAndRates(release)}</span>}
        empty={
          releases?.length === 0 ? (
            <Empty title="No release was made yet" action={newButton}>A release holds everything that engines route by, as it is at one moment.</Empty>
          ) : (
            <Empty title="No release is like that">Take the search and the filters away to see the others.</Empty>
          )
        }
        height={(rows?.length ?? 0) > 12 ? 560 : "fit"}
      />
      {mayMake && <NewRelease opened={making !== ""} onClose={() => { setMaking(""); }} />}
      {mayPublish && <Rollback target={rollback === "1" ? formerOne : rollback} onTarget={(target) => { setRollback(target); }} onClose={() => { setRollback(""); }} />}
    </Page>
  );
}

/** Whether a release passes the filters; "12" and "#12" are its number. */
function shown(release: Release, search: string, chosen: readonly string[]): boolean {
  const state = states.find((one) => one.state === release.state)?.value ?? "";
  if (chosen.length > 0 && !chosen.includes(state)) return false;
  const text = search.trim().toLowerCase();
  if (text === "") return true;
  if (/^#?\d+$/.test(text) && String(release.number) === text.replace("#", "")) return true;
  return [release.description, release.createdBy, release.approvedBy, nameOf(release)].some((part) => part.toLowerCase().includes(text));
}
