import type { RoutingRule } from "@gen/operators/v1/routing_rule_pb";
import type { ReactNode } from "react";
import { AccountName, OperatorName } from "../../parts/names";
import { useCaller } from "../../api/caller";
import { Prefix } from "../../parts/number";
import { Facts } from "../../parts/page";
import { Price } from "../../parts/price";
import { When } from "../../parts/when";
import { exhaustedWord, strategyWord } from "../../parts/words";
import { Authors } from "./authors";
import { countryText } from "./countries";
import { TryLink } from "./findings";
import { RuleStateBadge } from "./state";
import { typesText, weighing } from "./strategies";
import { witnessOf } from "./takeover";
import classes from "./rules.module.css";

interface RuleViewProps {
  readonly rule: RoutingRule;
  /** The caller may change rules of its own account, and this is not one. */
  readonly bound: boolean;
}

/** A rule for who may not change it. */
export function RuleView({ rule, bound }: RuleViewProps): ReactNode {
  const { accountId } = useCaller();
  const { order, weight } = weighing(rule.strategy);
  return (
    <div className={classes.view}>
      {bound && <p className={classes.hint}>This rule is for every account. A rule of your account with the same prefix comes before it.</p>}
      <Facts
        items={[
          { label: "Prefix", value: <Prefix value={rule.prefix} /> },
          { label: "Account", value: <AccountName id={rule.accountId} /> },
          { label: "Country", value: rule.country === "" ? "–" : countryText(rule.country) },
          { label: "Message types", value: typesText(rule.messageTypes) },
          { label: "Strategy", value: strategyWord(rule.strategy) },
          { label: "When no candidate is usable", value: exhaustedWord(rule.onExhausted) },
          { label: "State", value: <RuleStateBadge rule={rule} /> },
          { label: "Valid from", value: rule.validFrom === undefined ? "Always" : <When time={rule.validFrom} /> },
          { label: "Valid to", value: rule.validTo === undefined ? "For ever" : <When time={rule.validTo} /> },
          { label: "Description", value: rule.description === "" ? "–" : rule.description },
        ]}
      />
      <table className={classes.table}>
        <caption>Candidates</caption>
        <thead>
          <tr>
            <th scope="col">Operator</th>
            {order && <th scope="col">Priority</th>}
            {weight && <th scope="col">Weight</th>}
            <th scope="col">Price that replaces the rate</th>
          </tr>
        </thead>
        <tbody>
          {rule.candidates.map((one) => (
            <tr key={one.operatorId}>
              <td>{accountId === "" ? <OperatorName id={one.operatorId} /> : one.operatorName || one.operatorId}</td>
              {order && <td>{one.priority}</td>}
              {weight && <td>{one.weight ?? 100}</td>}
              <td>{one.price === undefined ? "by rate" : <Price money={one.price} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className={classes.hint}>
        A made-up number of this prefix: <TryLink number={witnessOf(rule.prefix, [])} />
      </p>
      <Authors rule={rule} />
    </div>
  );
}
