import type { MessageInitShape } from "@bufbuild/protobuf";
import { DeckScope, type ImportRatesRequestSchema } from "@gen/operators/v1/rate_pb";
import { MessageType } from "@gen/routing/v1/types_pb";
import { fromLocal } from "../../../parts/datetime";
import { type Columns, deckColumns, noColumns } from "./columns";

export type Scope = "full" | "partial";

/** How a deck is read: which of its headers is which column, and what counts where a line says nothing. */
export interface Reading {
  readonly sheet: string;
  readonly columns: Columns;
  readonly currency: string;
  readonly type: MessageType;
  /** As DateTimeInput gives it; "" is the moment of the import. */
  readonly from: string;
}

export const emptyReading: Reading = { sheet: "", columns: noColumns, currency: "", type: MessageType.SMS, from: "" };

type Request = MessageInitShape<typeof ImportRatesRequestSchema>;

interface Deck {
  readonly operatorId: string;
  readonly scope: Scope;
  readonly bytes: Uint8Array;
}

const scopes = { full: DeckScope.FULL, partial: DeckScope.PARTIAL } as const;

/** Asks for the headers of a deck. Columns that have our names are found by the server. */
export function headersRequest({ operatorId, scope, bytes }: Deck, sheet: string, requestId: string): Request {
  return { operatorId, scope: scopes[scope], deck: bytes, sheet, validateOnly: true, requestId };
}

/** Every column is named, those that the deck does not have as "": what the form shows is all that counts. */
export function deckRequest({ operatorId, scope, bytes }: Deck, reading: Reading, requestId: string, validateOnly: boolean): Request {
  const effectiveFrom = fromLocal(reading.from);
  return {
    operatorId,
    scope: scopes[scope],
    deck: bytes,
    sheet: reading.sheet,
    columns: Object.fromEntries(deckColumns.map(({ name }) => [name, reading.columns[name]])),
    defaultCurrency: reading.currency,
    defaultMessageType: reading.type,
    ...(effectiveFrom === undefined ? {} : { effectiveFrom }),
    validateOnly,
    requestId,
  };
}
