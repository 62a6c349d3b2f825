import { Button } from "@mantine/core";
import type { RoutingRule, RuleCandidate } from "@gen/operators/v1/routing_rule_pb";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { type ReactNode, useMemo } from "react";
import { Link, useLocation } from "wouter";
import { RoutingStrategy } from "@gen/routing/v1/types_pb";
import { AccountName } from "../../parts/names";
import { Prefix } from "../../parts/number";
import { Section } from "../../parts/page";
import { withParams } from "../../parts/params";
import { Price } from "../../parts/price";
import { Empty } from "../../parts/states";
import { StatusBadge } from "../../parts/status";
import { columnsOf, DataTable } from "../../parts/table";
import { useTableQuery } from "../../parts/tablequery";
import { messageTypeWord, strategyWord } from "../../parts/words";
import { rulePath } from "./links";

/** The rules that may select an operator. */
export function RulesTab({ operatorId }: { operatorId: string }): ReactNode {
  const [, go] = useLocation();
  const data = useTableQuery(RoutingRuleService.method.listRoutingRules, { operatorId }, { rows: (page) => page.rules });
  const columns = useMemo(() => columnsFor(operatorId), [operatorId]);
  const href = (row: RoutingRule): string => rulePath(row.ruleId);
  return (
    <Section
      title="Rules that use it"
      description="Live rules with this operator among their candidates, with its part in each."
      actions={
        <Button component={Link} href={withParams("/rules", { operator: operatorId })} variant="subtle" size="compact-sm">
          Open in rules
        </Button>
      }
    >
      <DataTable
        label="Rules that use the operator"
        noun={["rule", "rules"]}
        columns={columns}
        data={data}
        id={(row) => row.ruleId}
        href={href}
        onOpen={(row) => go(href(row))}
        height="fit"
        empty={<Empty title="No rule uses it">Nothing is routed to it until a rule names it as a candidate.</Empty>}
      />
    </Section>
  );
}

/** The part of one operator in a rule. */
export function candidateOf(rule: RoutingRule, operatorId: string): RuleCandidate | undefined {
  return rule.candidates.find((candidate) => candidate.operatorId === operatorId);
}

const column = columnsOf<RoutingRule>();

function columnsFor(operatorId: string) {
  return [
    column.accessor("prefix", { header: "Prefix", size: 120, meta: { grow: 1, narrow: true }, cell: ({ getValue }) => <Prefix value={getValue()} /> }),
    column.accessor("accountId", { header: "Account", size: 110, cell: ({ getValue }) => <AccountName id={getValue()} link={false} /> }),
    column.accessor((row) => (row.messageTypes.length === 0 ? "all" : row.messageTypes.map(messageTypeWord).join(", ")), { id: "types", header: "Types", size: 90 }),
    column.accessor("strategy", { header: "Strategy", size: 110, meta: { grow: 0, narrow: true }, cell: ({ getValue }) => strategyWord(getValue()) }),
    column.accessor((row) => placeOf(row, operatorId), { id: "place", header: "Its part", size: 170, meta: { grow: 0 } }),
    column.accessor((row) => candidateOf(row, operatorId)?.price, {
      id: "price",
      header: "Own price",
      size: 150,
      meta: { grow: 0, align: "end" },
      cell: ({ getValue }) => (getValue() === undefined ? "by rate" : <Price money={getValue()} />),
    }),
    column.accessor("active", {
      header: "State",
      size: 84,
      meta: { grow: 0 },
      cell: ({ getValue }) => <StatusBadge tone={getValue() ? "good" : "idle"}>{getValue() ? "On" : "Off"}</StatusBadge>,
    }),
    column.accessor("description", { header: "Description", size: 140, meta: { grow: 2 } }),
  ];
}

/** "priority 2 of 3", or under WEIGHTED "weight 30 of 100". */
export function placeOf(rule: RoutingRule, operatorId: string): string {
  const own = candidateOf(rule, operatorId);
  if (own === undefined) return "–";
  if (rule.strategy === RoutingStrategy.WEIGHTED) {
    const all = rule.candidates.reduce((sum, { weight }) => sum + (weight ?? 100), 0);
    const weight = own.weight ?? 100;
    return weight === 0 ? "last resort" : `weight ${String(weight)} of ${String(all)}`;
  }
  if (rule.strategy === RoutingStrategy.COST) return `one of ${String(rule.candidates.length)}`;
  return `priority ${String(own.priority)}, one of ${String(rule.candidates.length)}`;
}
