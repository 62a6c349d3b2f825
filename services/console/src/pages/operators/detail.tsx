import { Button, Tabs } from "@mantine/core";
import { Code } from "@connectrpc/connect";
import { useQuery } from "@connectrpc/connect-query";
import type { Operator } from "@gen/operators/v1/operator_pb";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { IconArrowLeft } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Role, useMay } from "../../api/caller";
import { describe } from "../../api/errors";
import { Answer } from "../../parts/answer";
import { Page } from "../../parts/page";
import { useParam, useParams } from "../../parts/params";
import { Empty } from "../../parts/states";
import { Actions } from "./actions";
import { Credentials } from "./credentials";
import { EditDrawer } from "./edit";
import { HealthTab } from "./healthtab";
import { useLiveHealth } from "./livehealth";
import classes from "./operators.module.css";
import { NotYours } from "./notyours";
import { Overview } from "./overview";
import { RatesTab } from "./ratestab";
import { deleted } from "./rows";
import { RulesTab } from "./rulestab";
import { Standing } from "./standing";
import { TakedownDialog } from "./takedown";
import { movesFrom, type Takedown, takedowns, useStatusChanges } from "./usestatus";

/** One operator. */
export function Detail({ operatorId }: { operatorId: string }): ReactNode {
  useLiveHealth();
  const query = useQuery(OperatorService.method.getOperator, { operatorId });
  const operator = query.data?.operator;
  if (operator !== undefined) {
    return <Known operator={operator} onStale={() => void query.refetch()} banner={<Answer query={query}>{() => null}</Answer>} />;
  }
  const none = query.error !== null && [Code.NotFound, Code.InvalidArgument].includes(describe(query.error).code);
  return (
    <Page title="Operator" actions={<Back />}>
      {none ? (
        <Empty title="There is no such operator">The link may be old, or cut short. Look for it by its name.</Empty>
      ) : (
        <Answer query={query} height={520}>
          {() => null}
        </Answer>
      )}
    </Page>
  );
}

function Back(): ReactNode {
  return (
    <Button variant="subtle" component={Link} href="/operators" leftSection={<IconArrowLeft size={16} aria-hidden />}>
      All operators
    </Button>
  );
}

const tabs = ["overview", "health", "rates", "rules", "credentials"] as const;
const labels: Readonly<Record<(typeof tabs)[number], string>> = {
  overview: "Overview",
  health: "Health",
  rates: "Rates",
  rules: "Rules",
  credentials: "Credentials",
};

interface KnownProps {
  readonly operator: Operator;
  readonly onStale: () => void;
  readonly banner: ReactNode;
}

function Known({ operator, onStale, banner }: KnownProps): ReactNode {
  const may = useMay(Role.OPERATOR, true);
  const edits = may && !deleted(operator);
  const [tab, setTab] = useParam("tab", "overview");
  const [open, setOpen] = useParams({ edit: "", do: "" });
  const changes = useStatusChanges(operator);
  const shown = tabs.find((one) => one === tab) ?? "overview";
  // A link may ask for what the status does not allow by now.
  const asked = takedowns.find((one) => one === open.do && movesFrom(operator.status).takedowns.includes(one)) ?? "";
  const ask = (takedown: Takedown): void => setOpen({ do: takedown }, "push");
  return (
    <Page
      title={operator.name}
      purpose={<Standing operator={operator} />}
      actions={
        <>
          <Back />
          {edits && <Actions operator={operator} changes={changes} onEdit={() => setOpen({ edit: "1" }, "push")} onTakedown={ask} onRotate={() => setTab("credentials", "push")} />}
        </>
      }
    >
      {banner}
      {!may && (open.edit !== "" || open.do !== "") && <NotYours deed="To change an operator" onClose={() => setOpen({ edit: "", do: "" })} />}
      <Tabs value={shown} onChange={(next) => setTab(next ?? "overview")} keepMounted={false}>
        <Tabs.List className={classes.tabs ?? ""}>
          {tabs.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {labels[one]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <div className={classes.panel}>
          <Tabs.Panel value="overview">
            <Overview operator={operator} edits={edits} changes={changes} onHealth={() => setTab("health")} onCredentials={() => setTab("credentials")} />
          </Tabs.Panel>
          <Tabs.Panel value="health">
            <HealthTab operatorId={operator.operatorId} />
          </Tabs.Panel>
          <Tabs.Panel value="rates">
            <RatesTab operatorId={operator.operatorId} />
          </Tabs.Panel>
          <Tabs.Panel value="rules">
            <RulesTab operatorId={operator.operatorId} />
          </Tabs.Panel>
          <Tabs.Panel value="credentials">
            <Credentials operator={operator} edits={edits} onStale={onStale} />
          </Tabs.Panel>
        </div>
      </Tabs>
      {edits && (
        <>
          <EditDrawer opened={open.edit !== ""} onClose={() => setOpen({ edit: "" }, "close")} operator={operator} />
          <TakedownDialog takedown={asked} onClose={() => setOpen({ do: "" }, "close")} operator={operator} changes={changes} onRefused={onStale} />
        </>
      )}
    </Page>
  );
}
