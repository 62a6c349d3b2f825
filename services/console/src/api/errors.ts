import { Code, ConnectError } from "@connectrpc/connect";
import { errorDetails } from "./errordetails";

/** What is wrong with one field. */
export interface Violation {
  /** Path in the request's JSON names, such as operator.tpsLimit.maxTps. */
  readonly field: string;
  readonly message: string;
}

/** An error in words for people. */
export interface Problem {
  readonly title: string;
  readonly message: string;
  readonly code: Code;
  /** Stable name such as DUPLICATE_OPERATOR; empty when the server gave none. */
  readonly reason: string;
  readonly violations: readonly Violation[];
  readonly retryAfterSeconds?: number;
  /** Names the call in the server's log. */
  readonly requestId?: string;
  /** Nothing of ours answered: the server is down, or the network to it. */
  readonly unanswered?: true;
}

const titles: Partial<Record<Code, string>> = {
  [Code.Aborted]: "Somebody else changed this meanwhile",
  [Code.AlreadyExists]: "There is one already",
  [Code.Canceled]: "Cancelled",
  [Code.DeadlineExceeded]: "The server took too long",
  [Code.FailedPrecondition]: "Not possible as things are",
  [Code.Internal]: "The server made a mistake",
  [Code.InvalidArgument]: "Something is not right yet",
  [Code.NotFound]: "Not found",
  [Code.PermissionDenied]: "You may not do this",
  [Code.ResourceExhausted]: "Too much at once",
  [Code.Unauthenticated]: "Not signed in",
  [Code.Unavailable]: "Out of reach",
};

/** Turns whatever a call threw into words. */
export function describe(error: unknown): Problem {
  const e = ConnectError.from(error);
  const { reason, violations, retryAfterSeconds } = errorDetails(e);
  const requestId = e.metadata.get("x-request-id");
  return {
    title: titles[e.code] ?? "That did not work",
    message: sentence(e),
    code: e.code,
    reason,
    violations,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(requestId === null ? {} : { requestId }),
    ...(unanswered(e) ? { unanswered: true } : {}),
  };
}

/** Whether nothing of ours answered: a browser without network says "Failed to fetch" and the like, a proxy in between "HTTP 502". */
function unanswered({ code, rawMessage }: ConnectError): boolean {
  return code === Code.Unknown || (code === Code.Unavailable && /^(HTTP \d+)?$/.test(rawMessage));
}

function sentence(e: ConnectError): string {
  if (unanswered(e)) {
    return "The server cannot be reached. Check the network, then try again.";
  }
  return e.rawMessage === "" ? "The server gave no reason." : e.rawMessage;
}

/** Whether trying the same again may help. */
export function passing(error: unknown): boolean {
  const { code, reason } = describe(error);
  // The same search looks at as many decisions again: only a narrower one ends in time.
  if (reason === "TOO_MANY_DECISIONS") return false;
  return code === Code.Unavailable || code === Code.Unknown || code === Code.DeadlineExceeded || code === Code.ResourceExhausted;
}
