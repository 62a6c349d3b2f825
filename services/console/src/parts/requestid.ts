import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { clone, create, equals } from "@bufbuild/protobuf";

/** Inputs whose ids are kept at a time: what failed and was never tried again must not pile up. */
const usual = 8;

/**
 * Keeps request_id over retries: the server carries out a repeated id once. The same input has the same id until it succeeds; another
 * input is another request, for which the server would refuse the id with REQUEST_ID_REUSED.
 */
export class RequestIds<I extends DescMessage> {
  /** What was sent and is not done, the newest last. */
  private sent: readonly { readonly input: ReturnType<typeof create<I>>; readonly id: string }[] = [];

  constructor(
    private readonly schema: I,
    private readonly most = usual,
    private readonly make: () => string = newId,
  ) {}

  /** The input as a message with its request id, where the schema has one and the input gives none. */
  give(input: MessageInitShape<I>): ReturnType<typeof create<I>> {
    // A copy only where an id is put into it: a rate deck has up to 64 MiB.
    const given = create(this.schema, input);
    if (!("requestId" in given) || given.requestId !== "") return given;
    const message = clone(this.schema, given);
    const former = this.sent.find(({ input: other }) => equals(this.schema, other, message));
    const kept = former ?? { input: clone(this.schema, message), id: this.make() };
    this.sent = [...this.sent.filter((one) => one !== former), kept].slice(-this.most);
    const { id } = kept;
    return Object.assign(message, { requestId: id });
  }

  /** The request that give made is done: the same input again is a new one. */
  done(request: ReturnType<typeof create<I>>): void {
    const id = "requestId" in request ? request.requestId : "";
    this.sent = this.sent.filter((one) => one.id !== id);
  }
}

/** crypto.randomUUID is there on HTTPS and localhost only; consoles of labs are served by plain HTTP too. */
export function newId(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
