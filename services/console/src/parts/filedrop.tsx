import { CloseButton, Input } from "@mantine/core";
import { IconFileText, IconUpload } from "@tabler/icons-react";
import { type DragEvent, type ReactNode, useId, useRef, useState } from "react";
import classes from "./filedrop.module.css";

interface FileDropProps {
  readonly label: string;
  readonly file: File | undefined;
  readonly onChange: (file: File | undefined) => void;
  /** As of <input accept>: ".csv,.xlsx". */
  readonly accept?: string;
  /** Most bytes. */
  readonly limit?: number;
  readonly description?: ReactNode;
  readonly error?: ReactNode;
}

const mebibyte = 1024 * 1024;

/** What the server takes at most. */
export const fileLimit = 64 * mebibyte;

/** One file by drag, click or keyboard. */
export function FileDrop({ label, file, onChange, accept, limit = fileLimit, description, error }: FileDropProps): ReactNode {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [complaint, setComplaint] = useState<string>();

  const take = (files: FileList | null): void => {
    const chosen = files?.[0];
    if (chosen === undefined) return;
    const found = complaintOf(chosen, limit);
    setComplaint(found);
    onChange(found === undefined ? chosen : undefined);
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  };
  const wrong = complaint ?? error;
  // The wrapper knows inputs of its own library only.
  const told = `${wrong === undefined ? "" : `${id}-error`} ${description === undefined ? "" : `${id}-description`}`.trim();
  const remove = (): void => {
    onChange(undefined);
    setComplaint(undefined);
    if (input.current !== null) input.current.value = "";
    input.current?.focus();
  };
  return (
    <Input.Wrapper id={id} label={label} description={description} error={wrong}>
      <div
        className={classes.drop}
        data-over={over || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        {/* The input lies over the whole box: click and keyboard are the browser's own. */}
        <input
          ref={input}
          id={id}
          type="file"
          className={classes.input}
          accept={accept}
          aria-label={label}
          aria-invalid={wrong !== undefined}
          aria-describedby={told === "" ? undefined : told}
          onChange={(event) => take(event.currentTarget.files)}
        />
        {file === undefined ? (
          <>
            <IconUpload size={20} stroke={1.5} aria-hidden />
            <span>Drop a file here, or choose one</span>
            <span className={classes.size}>at most {sizeText(limit)}</span>
          </>
        ) : (
          <>
            <IconFileText size={20} stroke={1.5} aria-hidden />
            <span className={classes.name}>{file.name}</span>
            <span className={classes.size}>{sizeText(file.size)}</span>
            <CloseButton size="sm" className={classes.remove ?? ""} aria-label={`Remove ${file.name}`} onClick={remove} />
          </>
        )}
      </div>
    </Input.Wrapper>
  );
}

function complaintOf(file: File, limit: number): string | undefined {
  if (file.size > limit) return `${file.name} has ${sizeText(file.size)}; at most ${sizeText(limit)} can be sent.`;
  return file.size === 0 ? `${file.name} is empty.` : undefined;
}

export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${String(bytes)} B`;
  if (bytes < mebibyte) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / mebibyte).toFixed(bytes % mebibyte === 0 ? 0 : 1)} MiB`;
}

export async function fileBytes(file: File): Promise<Uint8Array> {
  return new Uint8Array(await file.arrayBuffer());
}
