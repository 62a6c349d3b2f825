export interface CsvColumn<T> {
  readonly name: string;
  readonly value: (row: T) => string;
  /** Read back by our importers, so that its text is never altered. */
  readonly own?: true;
}

/**
 * CSV by RFC 4180. A spreadsheet runs text that begins with =, +, -, @, a tab or a return: such text gets a leading "'". Signed plain
 * numbers, and with them prefixes such as +49, are no formula and stay. Columns of our own formats are quoted and otherwise left alone.
 */
export function csvText<T>(rows: Iterable<T>, columns: readonly CsvColumn<T>[]): string {
  const lines = [columns.map((column) => quoted(column.name)).join(",")];
  for (const row of rows) {
    lines.push(columns.map(({ value, own }) => quoted(own === true ? value(row) : harmless(value(row)))).join(","));
  }
  return `${lines.join("\r\n")}\r\n`;
}

function harmless(text: string): string {
  return /^[=+\-@\t\r]/.test(text) && !/^[+-]\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
}

function quoted(text: string): string {
  return /[",\r\n]|^[=+\-@\t ]|[ \t]$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Saves a file on the reader's machine. */
export function download(name: string, content: string | Uint8Array | readonly Uint8Array[], type = "text/csv;charset=utf-8"): void {
  const parts = typeof content === "string" || content instanceof Uint8Array ? [content] : content;
  const url = URL.createObjectURL(new Blob(parts.map(part), { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // Browsers read the file after the click: the address has to live a little longer.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A Blob takes no view of shared memory, which none of ours is. */
function part(content: string | Uint8Array): BlobPart {
  return typeof content === "string" ? content : new Uint8Array(content);
}
