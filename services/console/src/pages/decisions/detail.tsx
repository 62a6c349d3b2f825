import { useQuery } from "@connectrpc/connect-query";
import type { DecisionRecord } from "@gen/routing/v1/decision_pb";
import { DecisionService } from "@gen/routing/v1/decision_service_pb";
import { IconRoute } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Answer } from "../../parts/answer";
import { typeParam } from "../../parts/messagetype";
import { AccountName, OperatorName } from "../../parts/names";
import { Id, Prefix } from "../../parts/number";
import { Facts } from "../../parts/page";
import { Price } from "../../parts/price";
import { Empty } from "../../parts/states";
import { StatusBadge } from "../../parts/status";
import { syntheticPath } from "../../parts/synthetic";
import { Versions } from "../../parts/versions";
import { Duration, When } from "../../parts/when";
import { messageTypeWord } from "../../parts/words";
import { KeptNumber } from "./columns";
import classes from "./decisions.module.css";
import { commandStatusText } from "./smpp";
import { failureWord, outcomeTone, outcomeWord } from "./words";

/** Everything about one decision, also of one that the table does not show. */
export function Detail({ id }: { readonly id: string }): ReactNode {
  const query = useQuery(DecisionService.method.listDecisions, { decisionId: id, pageSize: 1 });
  return (
    <Answer
      query={query}
      height={480}
      empty={({ decisions }) =>
        decisions.length === 0 ? <Empty title="Not in the log">The decision is older than the log keeps, was erased, or was never logged. The log is a few seconds behind the engines.</Empty> : undefined
      }
    >
      {({ decisions }) => decisions.map((record) => <Record key={record.decisionId} record={record} />)}
    </Answer>
  );
}

function Record({ record }: { readonly record: DecisionRecord }): ReactNode {
  const chosen = record.operatorId !== "";
  return (
    <div className={classes.detail}>
      {!chosen && (
        <p className={classes.failure}>
          <StatusBadge tone="bad">{failureWord(record.failure)}</StatusBadge> <code className={classes.code}>{record.failure}</code>
        </p>
      )}
      <Facts
        items={[
          { label: "Time", value: <When time={record.decideTime} seconds /> },
          { label: "Number", value: <><KeptNumber record={record} /> <span className={classes.dim}>{record.numberDigits > 0 && `${String(record.numberDigits)} digits`}</span></> },
          { label: "Account", value: <AccountName id={record.accountId} /> },
          { label: "Message type", value: messageTypeWord(record.messageType) },
          { label: "Operator", value: <OperatorName id={record.operatorId} /> },
          { label: "Price per segment", value: chosen ? <Price money={record.unitPrice} /> : "–" },
          { label: "Prefix that decided", value: <Prefix value={record.matchedPrefix} /> },
          { label: "Rule", value: record.ruleId === "" ? "–" : <Link href={`/rules?rule=${record.ruleId}`} className={classes.link}>Open the rule</Link> },
          { label: "Took", value: <Duration value={record.latency} /> },
          { label: "Decision id", value: <Id value={record.decisionId} label="decision id" /> },
          { label: "Hash of the number", value: <Id value={record.numberHash} label="hash" /> },
          { label: "Key of the hash", value: <span className={classes.mono}>{record.hashKeyId === "" ? "–" : record.hashKeyId}</span> },
        ]}
      />
      {record.numberPrefix !== "" && <Again record={record} />}
      <section>
        <h3 className={classes.subtitle}>Outcomes</h3>
        {record.outcomes.length === 0 ? <p className={classes.note}>{chosen ? "Nothing was reported about this message yet." : "No operator was chosen, so nothing will be reported."}</p> : <Outcomes record={record} />}
      </section>
      {record.meta !== undefined && (
        <section>
          <h3 className={classes.subtitle}>Decided by</h3>
          <Versions meta={record.meta} chosen={chosen} />
        </section>
      )}
    </div>
  );
}

/** The whole number is not known; a made-up one of its prefix shows what would be decided now. */
function Again({ record }: { readonly record: DecisionRecord }): ReactNode {
  const prefix = record.matchedPrefix.length > record.numberPrefix.length ? record.matchedPrefix : record.numberPrefix;
  const params = new URLSearchParams({ account: record.accountId, ...(typeParam(record.messageType) === "SMS" ? {} : { type: typeParam(record.messageType) }) });
  return (
    <p className={classes.note}>
      <Link href={syntheticPath(prefix, record.numberDigits, params.toString())} className={classes.link}>
        <IconRoute size={14} aria-hidden /> Explain a made-up number of this prefix
      </Link>{" "}
      as things are now.
    </p>
  );
}

function Outcomes({ record }: { readonly record: DecisionRecord }): ReactNode {
  return (
    <div className={classes.scroll}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Operator</th>
            <th scope="col">Outcome</th>
            <th scope="col">command_status</th>
            <th scope="col">Segments</th>
          </tr>
        </thead>
        <tbody>
          {record.outcomes.map((one, index) => (
            <tr key={index}>
              <td><When time={one.reportTime} seconds /></td>
              <td><OperatorName id={one.operatorId} /></td>
              <td><StatusBadge tone={outcomeTone(one.outcome)}>{outcomeWord(one.outcome)}</StatusBadge></td>
              <td className={classes.mono}>{commandStatusText(one.commandStatus)}</td>
              <td>{one.segments === 0 ? "–" : one.segments}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
