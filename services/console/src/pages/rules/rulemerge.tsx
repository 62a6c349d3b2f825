import { Code, ConnectError } from "@connectrpc/connect";
import type { RoutingRule } from "@gen/operators/v1/routing_rule_pb";
import { type ReactNode, useMemo } from "react";
import { useCaller } from "../../api/caller";
import { Merge, type MergeField } from "../../parts/merge";
import { useOperatorNames } from "../../parts/names";
import { exhaustedWord, strategyWord } from "../../parts/words";
import type { CandidateValues } from "./candidates";
import { countryText } from "./countries";
import { assembled, type Carriers, carriersOf, figureName, type Pieces, piecesOf, rowName } from "./mergepieces";
import { complaints, plain, type RuleValues, valuesOf } from "./ruleform";
import { exhaustionOf, strategyOf } from "./strategies";

interface RuleMergeProps {
  readonly onClose: () => void;
  readonly base: RoutingRule;
  readonly mine: RuleValues;
  /** Read anew after the conflict, never what was shown before. */
  readonly theirs: RoutingRule;
  /** Names of operators, as far as they are known without asking. */
  readonly names: ReadonlyMap<string, string>;
  readonly onMerge: (merged: RuleValues) => Promise<unknown>;
}

/** Somebody else saved the rule meanwhile: field by field and operator by operator, what counts. */
export function RuleMerge(props: RuleMergeProps): ReactNode {
  const { accountId } = useCaller();
  const names = useMemo(
    () => new Map([...props.names, ...props.theirs.candidates.map((one): [string, string] => [one.operatorId, one.operatorName])]),
    [props.names, props.theirs],
  );
  return accountId === "" ? <NamedMerge {...props} names={names} /> : <MergeOf {...props} nameOf={(id) => names.get(id)} />;
}

/** Who may list operators knows the names also of those that were just added. */
function NamedMerge(props: RuleMergeProps): ReactNode {
  const { name } = useOperatorNames();
  return <MergeOf {...props} nameOf={(id) => name(id) ?? props.names.get(id)} />;
}

function MergeOf({ onClose, base, mine, theirs, nameOf, onMerge }: RuleMergeProps & { readonly nameOf: (id: string) => string | undefined }): ReactNode {
  const { pieces, carriers, latest } = useMemo(() => {
    const versions = [plain(valuesOf(base)), plain(mine), plain(valuesOf(theirs))] as const;
    const found = carriersOf(versions);
    const [before, own, other] = versions;
    return { carriers: found, latest: other, pieces: { base: piecesOf(before, found), mine: piecesOf(own, found), theirs: piecesOf(other, found) } };
  }, [base, mine, theirs]);
  const save = (merged: Pieces): Promise<unknown> => {
    const values = assembled(merged, latest, carriers);
    // Each choice may be fine by itself and leave no operator, or end a rule before it starts.
    const [complaint] = Object.values(complaints(values));
    return complaint === undefined ? onMerge(values) : Promise.reject(new ConnectError(`Chosen together this makes no rule. ${complaint}`, Code.FailedPrecondition));
  };
  return (
    <Merge<Pieces>
      opened
      onClose={onClose}
      subject={`the rule for ${base.prefix}`}
      base={pieces.base}
      mine={pieces.mine}
      theirs={pieces.theirs}
      fields={fieldsOf(carriers, (id) => nameOf(id) ?? id)}
      onMerge={save}
    />
  );
}

function fieldsOf({ common, others }: Carriers, nameOf: (id: string) => string): readonly MergeField<Pieces>[] {
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  return [
    { name: "country", label: "Country", render: (code) => (code === "" ? <em>none</em> : countryText(text(code))) },
    { name: "strategy", label: "Strategy", render: (value) => strategyWord(strategyOf(text(value))) },
    ...others.map((id) => ({ name: rowName(id), label: nameOf(id), render: (row: unknown) => <Row row={row as CandidateValues | undefined} /> })),
    ...common.flatMap((id) => [
      { name: figureName("priority", id), label: `${nameOf(id)}, priority` },
      { name: figureName("weight", id), label: `${nameOf(id)}, weight` },
      { name: figureName("price", id), label: `${nameOf(id)}, price`, render: (price: unknown) => priceText(price as CandidateValues["price"]) },
    ]),
    { name: "onExhausted", label: "When no candidate is usable", render: (value) => exhaustedWord(exhaustionOf(text(value))) },
    { name: "active", label: "Active", render: (active) => (active === true ? "Yes" : "No") },
    { name: "validFrom", label: "Valid from", render: (time) => text(time).replace("T", " ") || <em>always</em> },
    { name: "validTo", label: "Valid to", render: (time) => text(time).replace("T", " ") || <em>for ever</em> },
    { name: "description", label: "Description" },
  ];
}

function Row({ row }: { readonly row: CandidateValues | undefined }): ReactNode {
  if (row === undefined) return <em>not in the rule</em>;
  return `In the rule: priority ${row.priority}, weight ${row.weight}, ${priceText(row.price)}`;
}

function priceText({ amount, currency }: CandidateValues["price"]): string {
  return amount === "" ? "by rate" : `${amount} ${currency}`;
}
