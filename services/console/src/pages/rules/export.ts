import { callUnaryMethod, useTransport } from "@connectrpc/connect-query";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ListRoutingRulesRequestSchema, RoutingRule } from "@gen/operators/v1/routing_rule_pb";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { useCallback, useEffect, useRef, useState } from "react";
import { counted } from "../../parts/figures";
import { download } from "../../parts/csv";
import { notifyDone, notifyFailed } from "../../parts/notify";
import { lossy, rulesCsv } from "./rulecsv";

interface Export {
  readonly running: boolean;
  /** Rules read so far. */
  readonly count: number;
  readonly start: (filter: MessageInitShape<typeof ListRoutingRulesRequestSchema>) => void;
  readonly cancel: () => void;
}

/** Reads every rule that a filter finds, page by page, and saves them as a file that the importer reads back. */
export function useExport(): Export {
  const transport = useTransport();
  const [running, setRunning] = useState(false);
  const [count, setCount] = useState(0);
  const control = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => control.current?.abort(), []);

  const start = useCallback(
    (filter: MessageInitShape<typeof ListRoutingRulesRequestSchema>) => {
      const mine = new AbortController();
      control.current?.abort();
      control.current = mine;
      setRunning(true);
      setCount(0);
      const read = async (): Promise<void> => {
        const rules: RoutingRule[] = [];
        let pageToken = "";
        do {
          const page = await callUnaryMethod(
            transport,
            RoutingRuleService.method.listRoutingRules,
            { ...filter, pageSize: 1000, pageToken },
            { signal: mine.signal },
          );
          rules.push(...page.rules);
          pageToken = page.nextPageToken;
          setCount(rules.length);
        } while (pageToken !== "");
        download("rules.csv", rulesCsv(rules));
        notifyDone(told(rules));
      };
      read()
        .catch((error: unknown) => {
          if (!mine.signal.aborted) notifyFailed("The rules could not be exported", error);
        })
        .finally(() => {
          if (control.current === mine) setRunning(false);
        });
    },
    [transport],
  );
  const cancel = useCallback(() => control.current?.abort(), []);
  return { running, count, start, cancel };
}

function told(rules: readonly RoutingRule[]): string {
  const saved = `${counted(rules.length, ["rule", "rules"])} saved as rules.csv.`;
  const lost = rules.filter(lossy).length;
  if (lost === 0) return saved;
  return `${saved} ${counted(lost, ["rule is", "rules are"])} switched off or limited in time, which a file cannot say: imported elsewhere they would be active.`;
}
