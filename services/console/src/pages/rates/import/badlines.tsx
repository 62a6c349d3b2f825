import type { BadLine } from "@gen/operators/v1/operator_pb";
import { Anchor } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { type ReactNode, useEffect, useMemo, useRef } from "react";
import { counted, countText } from "../../../parts/figures";
import { Section } from "../../../parts/page";
import { columnsOf, DataTable } from "../../../parts/table";
import { useLocalRows } from "../../../parts/tablequery";
import classes from "./import.module.css";

interface Row extends BadLine {
  readonly key: string;
}

const column = columnsOf<Row>();

const columns = [
  column.accessor("line", {
    header: "Line",
    size: 80,
    meta: { narrow: true, align: "end", grow: 0.5 },
    cell: (cell) => (cell.getValue() === 0n ? "–" : countText(cell.getValue())),
  }),
  column.accessor("column", { header: "Column", size: 150, meta: { narrow: true, mono: true }, cell: (cell) => cell.getValue() || "–" }),
  column.accessor("message", { header: "What is wrong", size: 320, meta: { grow: 7 }, cell: (cell) => <span title={cell.getValue()}>{cell.getValue()}</span> }),
];

const place = "bad-lines";

/** Above everything: why it goes no further, and where to read it. It takes the focus, for the list may be far below. */
export function Blocked({ count }: { readonly count: bigint }): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.focus();
  }, [count]);
  return (
    <div ref={box} tabIndex={-1} role="alert" className={classes.note} data-tone="bad">
      <IconAlertTriangle size={18} aria-hidden />
      <div>
        {counted(count, ["line", "lines"])} of the deck cannot be taken, so none of it can be applied.{" "}
        <Anchor
          component="button"
          type="button"
          inherit
          className={classes.jump ?? ""}
          onClick={() => {
            const list = document.getElementById(place);
            list?.scrollIntoView({ block: "start" });
            list?.focus({ preventScroll: true });
          }}
        >
          {count === 1n ? "Show the line" : "Show the lines"}
        </Anchor>
      </div>
    </div>
  );
}

interface BadLinesProps {
  readonly lines: readonly BadLine[];
  readonly count: bigint;
}

/** Why the deck cannot be taken. All or nothing: one bad line keeps all of it out. */
export function BadLines({ lines, count }: BadLinesProps): ReactNode {
  const rows = useMemo(() => lines.map((line, index) => ({ ...line, key: String(index) })), [lines]);
  const data = useLocalRows<Row>(rows);
  const shown = BigInt(lines.length) < count ? ` The first ${countText(lines.length)} are shown.` : "";
  return (
    <div id={place} tabIndex={-1} className={classes.place}>
      <Section
        title={`${counted(count, ["line", "lines"])} cannot be taken`}
        description={`Nothing was stored. Correct the file, or read it another way.${shown}`}
      >
        <DataTable
          label="Bad lines"
          noun={["problem", "problems"]}
          columns={columns}
          data={data}
          id={(row) => row.key}
          height="fit"
          second={(row) => <span className={classes.message}>{row.message}</span>}
        />
      </Section>
    </div>
  );
}
