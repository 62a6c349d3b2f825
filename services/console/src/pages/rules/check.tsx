import { Button } from "@mantine/core";
import { createClient } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { type CheckRoutingRulesResponse, FindingSeverity, type RuleFinding } from "@gen/operators/v1/routing_rule_pb";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import type { WatchEventsResponse } from "@gen/operators/v1/event_pb";
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { IconArrowLeft, IconRefresh } from "@tabler/icons-react";
import { type ReactNode, useCallback, useMemo, useState } from "react";
import { Link } from "wouter";
import { unlimited } from "../../api/transport";
import { Role, useMay } from "../../api/caller";
import { useEvents } from "../../live/events";
import { counted } from "../../parts/figures";
import { useDrawer } from "../../parts/drawer";
import { FilterChips, FilterSelect, Filters } from "../../parts/filter";
import { Page } from "../../parts/page";
import { useListParam, useParam } from "../../parts/params";
import { Empty, Forbidden } from "../../parts/states";
import { DataTable } from "../../parts/table";
import { useLocalRows } from "../../parts/tablequery";
import { When } from "../../parts/when";
import { findingColumns, FindingSecond } from "./findingcolumns";
import { RuleDrawer } from "./ruledrawer";
import classes from "./rules.module.css";

/** Conflicts and oddities of all stored rules. */
export function CheckPage(): ReactNode {
  const allowed = useMay(Role.VIEWER, true);
  return (
    <Page
      title="Check of all rules"
      purpose="Numbers that two rules answer differently, rules that cannot decide, and rules that nobody can have meant."
      actions={
        <Button component={Link} href="/rules" variant="default" leftSection={<IconArrowLeft size={16} aria-hidden />}>
          Rules
        </Button>
      }
    >
      {allowed ? <Check /> : <Forbidden bound />}
    </Page>
  );
}

/** The whole set is checked when somebody asks: it is work for the server, and changes come often. */
function useCheck(): UseQueryResult<CheckRoutingRulesResponse> {
  const transport = useTransport();
  return useQuery({
    queryKey: ["rules", "check"],
    queryFn: ({ signal }) => createClient(RoutingRuleService, transport).checkRoutingRules({}, { signal, timeoutMs: unlimited }),
    staleTime: 30_000,
  });
}

const severities = [
  { value: "error", label: "Conflicts", severity: FindingSeverity.ERROR },
  { value: "warning", label: "Warnings", severity: FindingSeverity.WARNING },
];

function Check(): ReactNode {
  const query = useCheck();
  const { data, refetch, isFetching, dataUpdatedAt } = query;
  const [chosen, setChosen] = useListParam("severity");
  const [reason, setReason] = useParam("reason");
  const reasons = useMemo(() => [...new Set(data?.findings.map((finding) => finding.reason))].sort(), [data]);
  const rows = useMemo(() => {
    const wanted = severities.filter(({ value }) => chosen.includes(value)).map(({ severity }) => severity);
    return data?.findings
      .map((finding, index) => ({ ...finding, index }))
      .filter((finding) => (wanted.length === 0 || wanted.includes(finding.severity)) && (reason === "" || finding.reason === reason));
  }, [data, chosen, reason]);
  const local = useLocalRows(rows, query);
  const rule = useDrawer("rule");
  const since = useChangesSince(dataUpdatedAt);

  return (
    <>
      <div className={classes.summary}>
        <span role="status">{data === undefined ? "" : summaryOf(data)}</span>
        {data !== undefined && (
          <span className={classes.hint}>
            Checked <When time={new Date(dataUpdatedAt)} seconds />. {since && "Something changed since."}
          </span>
        )}
        <Button variant="default" size="compact-sm" leftSection={<IconRefresh size={14} aria-hidden />} loading={isFetching} onClick={() => void refetch()}>
          Check again
        </Button>
      </div>
      <Filters>
        <FilterChips label="Severity" value={chosen} onChange={setChosen} options={severities} />
        <FilterSelect label="Reason" value={reason} onChange={setReason} options={reasons.map((value) => ({ value, label: value }))} />
      </Filters>
      <DataTable
        label="Findings"
        noun={["finding", "findings"]}
        columns={findingColumns}
        data={local}
        id={(row) => String(row.index)}
        onOpen={(row) => openFirst(row, rule.open)}
        second={(row) => <FindingSecond finding={row} />}
        empty={
          data?.findings.length === 0 ? (
            <Empty title="No findings">Every number has one answer, and every rule can decide.</Empty>
          ) : (
            <Empty title="No finding matches" action={<Button variant="default" onClick={() => { setChosen([]); setReason(""); }}>Clear filters</Button>} />
          )
        }
      />
      <RuleDrawer onChanged={() => void refetch()} />
    </>
  );
}

function openFirst(finding: RuleFinding, open: (id: string) => void): void {
  const id = finding.ruleIds.find((one) => one !== "");
  if (id !== undefined) open(id);
}

function summaryOf({ errorCount, warningCount, ruleCount, findings }: CheckRoutingRulesResponse): string {
  const all = errorCount + warningCount;
  const counts = `${counted(errorCount, ["conflict", "conflicts"])}, ${counted(warningCount, ["warning", "warnings"])} in ${counted(ruleCount, ["rule", "rules"])}.`;
  return all > BigInt(findings.length) ? `${counts} The first ${counted(findings.length, ["is", "are"])} shown.` : counts;
}

/** Whether operators, rules or rates changed after a moment. */
function useChangesSince(moment: number): boolean {
  const [changed, setChanged] = useState(0);
  useEvents(
    useCallback(({ event }: WatchEventsResponse) => {
      if (event.case === "operatorConfig") setChanged(Date.now());
    }, []),
  );
  return changed > moment;
}
