import { Button, Menu } from "@mantine/core";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AuditFilterSchema, ExportAuditRowsResponse } from "@gen/access/v1/audit_pb";
import { AuditService } from "@gen/access/v1/audit_service_pb";
import { IconDownload } from "@tabler/icons-react";
import { type ReactNode, useRef } from "react";
import { download } from "../../parts/csv";
import { counted } from "../../parts/figures";
import { FormProblem } from "../../parts/formproblem";
import { type JobStep, useJob } from "../../parts/job";
import { Progress } from "../../parts/progress";
import { type ExportForm, exportText } from "./exporttext";

/** What is here of a file. */
interface Written {
  readonly rows: number;
  readonly parts: string[];
}

const types: Readonly<Record<ExportForm, string>> = { jsonl: "application/x-ndjson", csv: "text/csv;charset=utf-8" };

/** Writes the rows that a filter chooses into a file: a button, and what tells how far it is. */
export function useExport(filter: MessageInitShape<typeof AuditFilterSchema>, empty: boolean): readonly [button: ReactNode, progress: ReactNode] {
  const form = useRef<ExportForm>("jsonl");
  const read = ({ rows }: ExportAuditRowsResponse, former: Written | undefined): JobStep<Written> => {
    // One list for all parts: copying it with every message would take ever longer.
    const parts = former?.parts ?? [];
    parts.push(exportText(form.current, rows, parts.length === 0));
    const count = (former?.rows ?? 0) + rows.length;
    return { progress: { done: BigInt(count), total: 0n }, result: { rows: count, parts } };
  };
  const job = useJob(AuditService.method.exportAuditRows, read, { done: ({ rows }) => `${counted(rows, ["audit row", "audit rows"])} exported.` });
  const start = async (wanted: ExportForm): Promise<void> => {
    form.current = wanted;
    const written = await job.start({ filter });
    if (written === undefined) return;
    const encoder = new TextEncoder();
    download(`audit-${new Date().toISOString().slice(0, 10)}.${wanted}`, written.parts.map((part) => encoder.encode(part)), types[wanted]);
    job.reset();
  };
  const button = (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} disabled={empty || job.state === "running"}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>The filtered rows, oldest first</Menu.Label>
        <Menu.Item onClick={() => void start("jsonl")}>JSON lines</Menu.Item>
        <Menu.Item onClick={() => void start("csv")}>CSV for a spreadsheet</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
  const progress = (
    <>
      <Progress job={job} label="Exporting" />
      <FormProblem problem={job.problem} />
    </>
  );
  return [button, progress];
}
