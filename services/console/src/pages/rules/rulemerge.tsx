import type { RoutingRule } from "@gen/operators/v1/routing_rule_pb";
import { type ReactNode, useMemo } from "react";
import { useCaller } from "../../api/caller";
import { Merge, type MergeField } from "../../parts/merge";
import { OperatorName } from "../../parts/names";
import { exhaustedWord, strategyWord } from "../../parts/words";
import type { CandidateValues } from "./candidates";
import { countryText } from "./countries";
import { plain, type RuleValues, valuesOf } from "./ruleform";
import { exhaustionOf, strategyOf } from "./strategies";
import classes from "./rules.module.css";

interface RuleMergeProps {
  readonly onClose: () => void;
  readonly base: RoutingRule;
  readonly mine: RuleValues;
  /** Read anew after the conflict, never what was shown before. */
  readonly theirs: RoutingRule;
  readonly names: ReadonlyMap<string, string>;
  readonly onMerge: (merged: RuleValues) => Promise<unknown>;
}

/** Somebody else saved the rule meanwhile: field by field, what counts. */
export function RuleMerge({ onClose, base, mine, theirs, names, onMerge }: RuleMergeProps): ReactNode {
  const { accountId } = useCaller();
  const fields = useMemo(() => fieldsOf((id) => (accountId === "" ? <OperatorName id={id} link={false} /> : (names.get(id) ?? id))), [accountId, names]);
  const versions = useMemo(
    () => ({ base: plain(valuesOf(base)), mine: plain(mine), theirs: plain(valuesOf(theirs)) }),
    [base, mine, theirs],
  );
  return (
    <Merge
      opened
      onClose={onClose}
      subject={`the rule for ${base.prefix}`}
      base={versions.base}
      mine={versions.mine}
      theirs={versions.theirs}
      fields={fields}
      onMerge={onMerge}
    />
  );
}

function fieldsOf(operator: (id: string) => ReactNode): readonly MergeField<RuleValues>[] {
  return [
    { name: "country", label: "Country", render: (code) => (code === "" ? <em>none</em> : countryText(code)) },
    { name: "strategy", label: "Strategy", render: (value) => strategyWord(strategyOf(value)) },
    { name: "candidates", label: "Candidates", render: (rows) => <CandidateLines rows={rows} operator={operator} /> },
    { name: "onExhausted", label: "When no candidate is usable", render: (value) => exhaustedWord(exhaustionOf(value)) },
    { name: "active", label: "Active", render: (active) => (active ? "Yes" : "No") },
    { name: "validFrom", label: "Valid from", render: (text) => text.replace("T", " ") || <em>always</em> },
    { name: "validTo", label: "Valid to", render: (text) => text.replace("T", " ") || <em>for ever</em> },
    { name: "description", label: "Description" },
  ];
}

function CandidateLines({ rows, operator }: { readonly rows: readonly CandidateValues[]; readonly operator: (id: string) => ReactNode }): ReactNode {
  return (
    <ol className={classes.lines}>
      {rows.map((row) => (
        <li key={row.operatorId}>
          {operator(row.operatorId)}, priority {row.priority}, weight {row.weight}
          {row.price.amount !== "" && `, ${row.price.amount} ${row.price.currency}`}
        </li>
      ))}
    </ol>
  );
}
