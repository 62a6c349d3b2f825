import type { RoutingRule } from "@gen/operators/v1/routing_rule_pb";
import type { ReactNode } from "react";
import { Id } from "../../parts/number";
import { When } from "../../parts/when";
import { Who } from "../../parts/who";
import classes from "./rules.module.css";

/** Who made a rule and who changed it last. */
export function Authors({ rule }: { readonly rule: RoutingRule }): ReactNode {
  return (
    <p className={classes.authors}>
      Version {String(rule.version)}. Made <When time={rule.createTime} /> by <Who name={rule.createdBy} />, last changed{" "}
      <When time={rule.updateTime} /> by <Who name={rule.updatedBy} />. <Id value={rule.ruleId} label="rule id" />
    </p>
  );
}
