import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { ConnectError } from "@connectrpc/connect";

/**
 * The details that errors of the API carry: google.rpc.ErrorInfo, BadRequest and RetryInfo. There is no generated code for
 * them, because their schema does not come with ours; field numbers are those of google/rpc/error_details.proto.
 */
export interface ErrorDetails {
  readonly reason: string;
  readonly violations: readonly { readonly field: string; readonly message: string }[];
  readonly retryAfterSeconds?: number;
  /** Of ErrorInfo, such as rule_id of DUPLICATE_RULE. */
  readonly metadata: Readonly<Partial<Record<string, string>>>;
}

export function errorDetails(error: ConnectError): ErrorDetails {
  let reason = "";
  let retryAfterSeconds: number | undefined;
  let metadata: ErrorDetails["metadata"] = {};
  const violations: { field: string; message: string }[] = [];
  for (const detail of error.details) {
    if (!("type" in detail) || !("value" in detail) || !(detail.value instanceof Uint8Array)) continue;
    switch (detail.type) {
      case "google.rpc.ErrorInfo":
        reason = text(detail.value, 1);
        metadata = Object.fromEntries(parts(detail.value, 3).map((entry) => [text(entry, 1), text(entry, 2)]));
        break;
      case "google.rpc.BadRequest":
        for (const one of parts(detail.value, 1)) violations.push({ field: text(one, 1), message: text(one, 2) });
        break;
      case "google.rpc.RetryInfo":
        for (const duration of parts(detail.value, 1)) retryAfterSeconds = number(duration, 1);
        break;
    }
  }
  return { reason, violations, metadata, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
}

/** Every value of a length-delimited field; what cannot be read gives none, as an error without details is still one. */
function parts(message: Uint8Array, field: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  try {
    const reader = new BinaryReader(message);
    while (reader.pos < reader.len) {
      const [no, type] = reader.tag();
      if (no === field && type === WireType.LengthDelimited) found.push(reader.bytes());
      else reader.skip(type, no);
    }
  } catch {
    return [];
  }
  return found;
}

function text(message: Uint8Array, field: number): string {
  const last = parts(message, field).at(-1);
  return last === undefined ? "" : new TextDecoder().decode(last);
}

function number(message: Uint8Array, field: number): number {
  let found = 0;
  try {
    const reader = new BinaryReader(message);
    while (reader.pos < reader.len) {
      const [no, type] = reader.tag();
      if (no === field && type === WireType.Varint) found = Number(reader.int64());
      else reader.skip(type, no);
    }
  } catch {
    return 0;
  }
  return found;
}
