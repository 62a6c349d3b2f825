import { Button } from "@mantine/core";
import type { RoutingRule } from "@gen/operators/v1/routing_rule_pb";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { IconDownload, IconPlus, IconShieldCheck, IconUpload } from "@tabler/icons-react";
import { type ReactNode, useMemo } from "react";
import { Link } from "wouter";
import { Allowed, Role, useCaller } from "../../api/caller";
import { countText } from "../../parts/figures";
import { useDrawer } from "../../parts/drawer";
import { Page } from "../../parts/page";
import { MakeRelease, useServesReleases } from "../../parts/releasehint";
import { useParams } from "../../parts/params";
import { Empty } from "../../parts/states";
import { DataTable } from "../../parts/table";
import { useTableQuery } from "../../parts/tablequery";
import { RuleSecond, useRuleColumns } from "./columns";
import { useExport } from "./export";
import { noFilter, RuleFilters } from "./filters";
import { RuleDrawer } from "./ruledrawer";
import classes from "./rules.module.css";

/** Every rule, by prefix. */
export function RuleList(): ReactNode {
  const bound = useCaller().accountId !== "";
  const [filter, setFilter] = useParams(noFilter);
  const request = useMemo(
    () => ({ search: filter.q, prefix: filter.prefix, country: filter.country, accountId: filter.account, operatorId: filter.operator }),
    [filter],
  );
  const data = useTableQuery(RoutingRuleService.method.listRoutingRules, request, { rows: (page) => page.rules, pageSize: 500 });
  const columns = useRuleColumns();
  const rule = useDrawer("rule");
  const fresh = useDrawer("new");
  const saving = useExport();
  const filtered = Object.values(filter).some((value) => value !== "");

  return (
    <Page title="Rules" purpose={`Which operators carry which prefixes, for every account or for ${bound ? "yours: you see the global rules and your own" : "one"}. The longest prefix wins.`} actions={<Actions onNew={() => fresh.open("1")} />}>
      {!bound && <Counting />}
      <RuleFilters filter={filter} onChange={setFilter} />
      <DataTable<RoutingRule>
        label="Rules"
        noun={["rule", "rules"]}
        columns={columns}
        data={data}
        id={(row) => row.ruleId}
        onOpen={(row) => rule.open(row.ruleId)}
        href={(row) => rule.href(row.ruleId)}
        current={rule.id}
        second={(row) => <RuleSecond rule={row} />}
        tools={
          saving.running ? (
            <Button variant="default" size="compact-sm" loaderProps={{ type: "dots" }} onClick={saving.cancel}>
              {countText(saving.count)} rules read · Cancel
            </Button>
          ) : (
            <Button
              variant="default"
              size="compact-sm"
              leftSection={<IconDownload size={14} aria-hidden />}
              onClick={() => saving.start(request)}
              disabled={data.state !== "ready" || data.rows.length === 0}
            >
              {filtered ? "Export these" : "Export all"}
            </Button>
          )
        }
        empty={
          filtered ? (
            <Empty title="No rule matches" action={<Button variant="default" onClick={() => setFilter(noFilter)}>Clear filters</Button>}>
              Search looks into prefix, country and description.
            </Empty>
          ) : (
            <Empty title="No rules yet">Without a rule no message has a route. Make one, or import a file.</Empty>
          )
        }
      />
      <RuleDrawer />
    </Page>
  );
}

/** When a change counts. Its line is there before that is known, so that nothing moves. */
function Counting(): ReactNode {
  const released = useServesReleases();
  return (
    <p className={classes.counting} role="note">
      {released === true && (
        <>
          Engines serve releases: what is changed here counts when a release with it is published. <MakeRelease />
        </>
      )}
      {released === false && "What is changed here counts at once."}
    </p>
  );
}

function Actions({ onNew }: { readonly onNew: () => void }): ReactNode {
  return (
    <>
      <Allowed role={Role.VIEWER} unbound>
        <Button component={Link} href="/rules/check" variant="default" leftSection={<IconShieldCheck size={16} aria-hidden />}>
          Check all
        </Button>
      </Allowed>
      <Allowed role={Role.OPERATOR} unbound>
        <Button component={Link} href="/rules/import" variant="default" leftSection={<IconUpload size={16} aria-hidden />}>
          Import
        </Button>
      </Allowed>
      <Allowed role={Role.OPERATOR}>
        <Button leftSection={<IconPlus size={16} aria-hidden />} data-shortcut="new" onClick={onNew}>
          New rule
        </Button>
      </Allowed>
    </>
  );
}
