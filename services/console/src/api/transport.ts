import { Code, ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { credential, isRefused, refused } from "./session";

/** A unary call that takes longer than this many milliseconds ends with DEADLINE_EXCEEDED. Streams have no limit. */
export const callTimeout = 10_000;

/** timeoutMs of calls that may take as long as they need: streams, and unary calls over whole tables. */
export const unlimited = 0;

/** ends: whether a refusal ends the session. An engine hears of a new key moments later than the control plane, which decides. */
const authorize = (ends: boolean): Interceptor => (next) => async (request) => {
  const sent = credential();
  // The page goes on below the question who is there. Only that question may be sent: it brings a credential of its own.
  if (isRefused() && !request.header.has("authorization")) throw new ConnectError("Sign in again first.", Code.Unauthenticated);
  if (sent !== "") request.header.set("authorization", `Bearer ${sent}`);
  try {
    return await next(request);
  } catch (error) {
    if (ends && sent !== "" && ConnectError.from(error).code === Code.Unauthenticated) refused(sent);
    throw error;
  }
};

/** Bytes from which on a body is given to the browser as a Blob: rate decks of 64 MiB would hold the page up for seconds otherwise. */
const large = 1024 * 1024;

const send: typeof fetch = (input, init) => {
  const body = init?.body;
  return fetch(input, body instanceof Uint8Array && body.byteLength >= large ? { ...init, body: new Blob([body as Uint8Array<ArrayBuffer>]) } : init);
};

/** Calls the server at baseUrl by gRPC-Web, as whoever is signed in. */
export function createTransport(baseUrl: string, endsSession = true): Transport {
  return createGrpcWebTransport({ baseUrl, interceptors: [authorize(endsSession)], defaultTimeoutMs: callTimeout, fetch: send });
}
