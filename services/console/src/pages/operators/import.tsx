import { Button, Group } from "@mantine/core";
import type { BadLine, ImportResult, ImportWarning } from "@gen/operators/v1/operator_pb";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { type ReactNode, useState } from "react";
import { Drawer } from "../../parts/drawer";
import { counted, countText } from "../../parts/figures";
import { FileDrop, fileBytes } from "../../parts/filedrop";
import { FormProblem } from "../../parts/formproblem";
import { stepOf, useJob } from "../../parts/job";
import { Progress } from "../../parts/progress";
import { columnsOf, DataTable } from "../../parts/table";
import { useLocalRows } from "../../parts/tablequery";
import { Note } from "./note";
import classes from "./operators.module.css";

const header = "name,host,port,system_id,bind_type,max_tps,message_types,status";

interface ImportProps {
  readonly opened: boolean;
  readonly onClose: () => void;
}

export function ImportDrawer({ opened, onClose }: ImportProps): ReactNode {
  return (
    <Drawer id={opened ? "import" : ""} onClose={onClose} title="Import operators" size={760}>
      {() => <ImportForm onClose={onClose} />}
    </Drawer>
  );
}

/** A file of operators: what it would change first, then the change, all or nothing. */
function ImportForm({ onClose }: { onClose: () => void }): ReactNode {
  const [file, setFile] = useState<File>();
  const [csv, setCsv] = useState<Uint8Array<ArrayBuffer>>();
  const [unread, setUnread] = useState(false);
  const preview = useJob(OperatorService.method.importOperators, stepOf);
  const apply = useJob(OperatorService.method.importOperators, stepOf, {
    invalidates: [OperatorService, RoutingRuleService],
    done: (result) => `${counted(result.created, ["operator", "operators"])} created, ${countText(result.updated)} updated.`,
  });

  const choose = async (next: File | undefined): Promise<void> => {
    setFile(next);
    setCsv(undefined);
    setUnread(false);
    preview.reset();
    apply.reset();
    if (next === undefined) return;
    try {
      const bytes = new Uint8Array(await fileBytes(next));
      setCsv(bytes);
      await preview.start({ csv: bytes, validateOnly: true });
    } catch {
      setUnread(true);
    }
  };
  const run = async (): Promise<void> => {
    if (csv !== undefined) await apply.start({ csv });
  };

  const found = apply.result ?? preview.result;
  const running = preview.state === "running" || apply.state === "running";
  const applied = apply.result?.applied === true;
  return (
    <div className={classes.form}>
      <p className={classes.prose}>
        A CSV file with the header <span className={classes.mono}>{header}</span>. A new name is created, a known one is updated, others stay as
        they are. Nothing is stored before you have seen what changes.
      </p>
      <FileDrop label="File of operators" file={file} onChange={(next) => void choose(next)} accept=".csv,text/csv" />
      {unread && <Note tone="warning">The file could not be read. It may have been moved or changed: choose it again.</Note>}
      <FormProblem problem={preview.problem ?? apply.problem} />
      <Progress job={preview} label="Checking the file" />
      <Progress job={apply} label="Storing the operators" />
      {preview.state === "cancelled" && <Note tone="idle">The check was cancelled. Choose the file again to start over.</Note>}
      {apply.state === "cancelled" && <Note tone="warning">You stopped waiting. Look at the list: the server may have stored the file all the same.</Note>}
      {found !== undefined && !running && <Found result={found} applied={applied} />}
      <div className={classes.foot}>
        <Group gap="sm">
          <Button variant="default" onClick={onClose} disabled={apply.state === "running"}>
            {applied ? "Close" : "Cancel"}
          </Button>
          {!applied && (
            <Button onClick={() => void run()} disabled={found === undefined || running || !changes(found)} loading={apply.state === "running"}>
              Import
            </Button>
          )}
        </Group>
      </div>
    </div>
  );
}

function changes(result: ImportResult): boolean {
  return result.badLineCount === 0n && result.created + result.updated > 0n;
}

const badColumn = columnsOf<BadLine>();
const badColumns = [
  badColumn.accessor((row) => String(row.line), { id: "line", header: "Line", size: 70, meta: { grow: 0, align: "end", narrow: true } }),
  badColumn.accessor("column", { id: "column", header: "Column", size: 140, meta: { grow: 0.2, mono: true, narrow: true } }),
  badColumn.accessor("message", { id: "message", header: "What is wrong", size: 320, meta: { grow: 1 } }),
];

const warningColumn = columnsOf<ImportWarning>();
const warningColumns = [
  warningColumn.accessor((row) => (row.line === 0n ? "" : String(row.line)), { id: "line", header: "Line", size: 70, meta: { grow: 0, align: "end", narrow: true } }),
  warningColumn.accessor("message", { id: "message", header: "To look at", size: 400, meta: { grow: 1, narrow: true } }),
];

function Found({ result, applied }: { result: ImportResult; applied: boolean }): ReactNode {
  const bad = useLocalRows(result.badLines);
  const warnings = useLocalRows(result.warnings);
  const counts = [
    { label: applied ? "created" : "to create", value: result.created },
    { label: applied ? "updated" : "to update", value: result.updated },
    { label: "unchanged", value: result.unchanged },
    { label: "bad lines", value: result.badLineCount },
  ];
  return (
    <>
      <dl className={classes.counts} aria-label={applied ? "What was stored" : "What the file changes"}>
        {counts.map(({ label, value }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{countText(value)}</dd>
          </div>
        ))}
      </dl>
      {applied && <Note>The file is stored. New operators are in the list now.</Note>}
      {result.badLineCount > 0n && (
        <>
          <Note tone="warning">Nothing is stored while a line cannot be taken. Correct the file, then choose it again.</Note>
          <DataTable
            label="Bad lines"
            noun={["fault", "faults"]}
            columns={badColumns}
            data={bad}
            id={(row) => `${String(row.line)} ${row.column} ${row.message}`}
            height="fit"
          />
        </>
      )}
      {result.warnings.length > 0 && (
        <DataTable
          label="Warnings"
          noun={["warning", "warnings"]}
          columns={warningColumns}
          data={warnings}
          id={(row) => `${String(row.line)} ${row.reason} ${row.message}`}
          height="fit"
        />
      )}
      {!applied && result.badLineCount === 0n && result.created + result.updated === 0n && <Note>The file changes nothing: all of it is stored already.</Note>}
    </>
  );
}
