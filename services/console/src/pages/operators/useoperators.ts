import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Quality } from "@gen/events/v1/operator_health_event_pb";
import type { ListOperatorsRequestSchema } from "@gen/operators/v1/operator_pb";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { useEffect, useMemo } from "react";
import { type TableData, useTableQuery } from "../../parts/tablequery";
import { ofQuality, type OperatorRow, rowsOf } from "./rows";

/** Operators that are read at most without being asked for by scrolling: ten times as many as a large gateway has. */
export const mostOperators = 5_000;

const pageSize = 1_000;

interface Operators {
  readonly data: TableData<OperatorRow>;
  /** There are more than are read: what is here is no whole, and cannot be sorted. */
  readonly beyond: boolean;
}

/**
 * The operators of a filter, all of them: the server gives them by name, and knows no filter by quality, so sorting and that filter are
 * done here.
 */
export function useOperators(input: MessageInitShape<typeof ListOperatorsRequestSchema>, qualities: readonly Quality[]): Operators {
  const data = useTableQuery(OperatorService.method.listOperators, input, { rows: rowsOf, pageSize });
  const { rows, more, loadMore } = data;
  const beyond = more && rows.length >= mostOperators;
  const next = data.state === "ready" && more && !beyond && !data.loadingMore && data.moreProblem === undefined && !data.previous;
  useEffect(() => {
    if (next) loadMore();
  }, [next, loadMore, rows.length]);
  const shown = useMemo(() => rows.filter(ofQuality(qualities)), [rows, qualities]);
  return { data: { ...data, rows: shown }, beyond };
}
