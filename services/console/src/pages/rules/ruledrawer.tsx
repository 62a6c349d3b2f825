import { Button } from "@mantine/core";
import { useQuery } from "@connectrpc/connect-query";
import type { RoutingRule } from "@gen/operators/v1/routing_rule_pb";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { IconTrash } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { Role, useCaller, useMay } from "../../api/caller";
import { Answer } from "../../parts/answer";
import { useConfirm } from "../../parts/confirm";
import { Drawer, useDrawer } from "../../parts/drawer";
import { Forbidden } from "../../parts/states";
import { useParams } from "../../parts/params";
import { useDeletion } from "./deletion";
import { RuleEditor } from "./form";
import { RuleView } from "./view";

interface RuleDrawerProps {
  /** Rules were changed here. */
  readonly onChanged?: () => void;
}

/** The rule of ?rule=, or a new one for ?new=1, whose prefix and account may stand in the address too. */
export function RuleDrawer({ onChanged }: RuleDrawerProps): ReactNode {
  const stored = useDrawer("rule");
  const fresh = useDrawer("new");
  const [{ prefix, account }] = useParams({ prefix: "", account: "" });
  const { accountId: bound } = useCaller();
  const mayChange = useMay(Role.OPERATOR);
  const [dirty, setDirty] = useState(false);
  const [ask, dialog] = useConfirm();
  const query = useQuery(RoutingRuleService.method.getRoutingRule, { ruleId: stored.id }, { enabled: stored.id !== "" });
  const rule = stored.id === "" ? undefined : query.data?.rule;

  const shut = (): void => {
    setDirty(false);
    (stored.id === "" ? fresh : stored).close();
  };
  const close = (): void => {
    if (!dirty) shut();
    else {
      ask({
        title: "Close without saving?",
        what: ["What you changed here is not saved and will be lost."],
        confirm: "Close without saving",
        danger: true,
        action: async () => shut(),
      });
    }
  };
  const done = (): void => {
    onChanged?.();
    shut();
  };
  const remove = useDeletion(ask, done);
  // A bound caller changes the rules of its account; global ones are for reading.
  const editable = (one: RoutingRule): boolean => mayChange && (bound === "" || one.accountId === bound);

  return (
    <>
      <Drawer
        id={stored.id === "" && fresh.id !== "" ? "new" : stored.id}
        onClose={close}
        size={1080}
        title={stored.id === "" ? "New rule" : rule === undefined ? "Rule" : titleOf(rule)}
        actions={
          rule !== undefined && editable(rule) ? (
            <Button variant="default" size="compact-sm" leftSection={<IconTrash size={14} aria-hidden />} onClick={() => remove(rule)}>
              Delete rule
            </Button>
          ) : undefined
        }
      >
        {(id) =>
          id === "new" ? (
            mayChange ? (
              <RuleEditor rule={undefined} initial={{ prefix, accountId: account }} onDirty={setDirty} onSaved={done} />
            ) : (
              <Forbidden needs="an operator" />
            )
          ) : (
            <Answer query={query} height={480}>
              {({ rule: one }) =>
                one === undefined ? null : editable(one) ? (
                  <RuleEditor key={one.ruleId} rule={one} onDirty={setDirty} onSaved={done} />
                ) : (
                  <RuleView rule={one} bound={bound !== "" && mayChange} />
                )
              }
            </Answer>
          )
        }
      </Drawer>
      {dialog}
    </>
  );
}

function titleOf(rule: RoutingRule): string {
  return `${rule.accountId === "" ? "Global rule" : "Account rule"} for ${rule.prefix}`;
}
