import { Button } from "@mantine/core";
import { callUnaryMethod, useTransport } from "@connectrpc/connect-query";
import type { BindState, Quality } from "@gen/events/v1/operator_health_event_pb";
import type { Operator, OperatorStatus } from "@gen/operators/v1/operator_pb";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { IconDownload } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { download } from "../../parts/csv";
import { counted } from "../../parts/figures";
import { notifyDone, notifyFailed } from "../../parts/notify";
import { operatorsCsv } from "./exportcsv";
import { ofQuality, rowsOf } from "./rows";

interface Filter {
  readonly search: string;
  readonly statuses: OperatorStatus[];
  readonly bindStates: BindState[];
}

interface ExportProps {
  readonly filter: Filter;
  /** Which the server cannot choose by. */
  readonly qualities: readonly Quality[];
}

/** Saves the operators that the filters choose, in the form that Import reads. Deleted ones are left out: importing would make them anew. */
export function ExportButton({ filter, qualities }: ExportProps): ReactNode {
  const transport = useTransport();
  const [pending, setPending] = useState(false);
  const run = async (): Promise<void> => {
    setPending(true);
    try {
      const { search, statuses, bindStates } = filter;
      const all: Operator[] = [];
      let pageToken = "";
      do {
        const input = { search, statuses, bindStates, pageSize: 1000, pageToken };
        const page = await callUnaryMethod(transport, OperatorService.method.listOperators, input);
        all.push(...rowsOf(page).filter(ofQuality(qualities)).map(({ operator }) => operator));
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      download("operators.csv", operatorsCsv(all));
      notifyDone(`${counted(all.length, ["operator", "operators"])} saved as operators.csv.`);
    } catch (error) {
      notifyFailed("The operators could not be exported", error);
    } finally {
      setPending(false);
    }
  };
  return (
    <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} loading={pending} onClick={() => void run()}>
      Export
    </Button>
  );
}
