import type { DescMessage, DescMethodUnary, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { callUnaryMethod, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useRef, useState } from "react";
import { describe, type Problem } from "../api/errors";
import { visit } from "../api/session";
import { invalidate } from "./invalidate";
import { notifyDone } from "./notify";
import { RequestIds } from "./requestid";

type Input<I extends DescMessage> = MessageInitShape<I>;
type Output<O extends DescMessage> = MessageShape<O>;

interface ChangeOptions<I extends DescMessage, O extends DescMessage> {
  /** Services whose answers change with it; the method's own unless told. */
  readonly invalidates?: readonly DescService[];
  /** What the notification says; none without it. */
  readonly done?: string | ((answer: Output<O>, input: Input<I>) => string);
  /** How to take it back; undefined when it cannot be. */
  readonly undo?: (answer: Output<O>, input: Input<I>) => (() => Promise<unknown>) | undefined;
  readonly onDone?: (answer: Output<O>, input: Input<I>) => void;
}

export interface Change<I extends DescMessage, O extends DescMessage> {
  /** Never rejects: undefined means that problem says why. For forms. */
  readonly run: (input: Input<I>) => Promise<Output<O> | undefined>;
  /** Rejects with the error. For Confirm and Merge, which show it. */
  readonly send: (input: Input<I>) => Promise<Output<O>>;
  /** With validate_only: checks, changes nothing, tells nobody. */
  readonly check: (input: Input<I>) => Promise<Output<O>>;
  readonly pending: boolean;
  readonly problem: Problem | undefined;
  readonly error: unknown;
  readonly reset: () => void;
}

/** A call that changes something. */
export function useChange<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  options: ChangeOptions<I, O> = {},
): Change<I, O> {
  const transport = useTransport();
  const client = useQueryClient();
  const ids = useMemo(() => new RequestIds(method.input), [method]);
  const [pending, setPending] = useState(0);
  const [error, setError] = useState<unknown>();
  const now = useRef(options);
  now.current = options;

  const send = useCallback(
    async (input: Input<I>) => {
      setPending((count) => count + 1);
      setError(undefined);
      const caller = visit();
      try {
        const request = ids.give(input);
        const answer = await callUnaryMethod(transport, method, request as Input<I>);
        ids.done(request);
        const { invalidates = [method.parent], done, undo, onDone } = now.current;
        // Nobody waits for the tables: what was done is done.
        void invalidate(client, invalidates);
        // An answer that comes after the session is not for whoever is signed in now.
        if (done !== undefined && visit() === caller) {
          const takeBack = undo?.(answer, input);
          notifyDone(
            typeof done === "string" ? done : done(answer, input),
            takeBack && (() => takeBack().finally(() => void invalidate(client, invalidates))),
          );
        }
        onDone?.(answer, input);
        return answer;
      } catch (failure) {
        setError(failure);
        throw failure;
      } finally {
        setPending((count) => count - 1);
      }
    },
    [transport, method, client, ids],
  );
  const run = useCallback((input: Input<I>) => send(input).catch(() => undefined), [send]);
  const check = useCallback(
    (input: Input<I>) => callUnaryMethod(transport, method, { ...input, validateOnly: true }),
    [transport, method],
  );
  const reset = useCallback(() => setError(undefined), []);
  const problem = useMemo(() => (error === undefined ? undefined : describe(error)), [error]);
  return { run, send, check, pending: pending > 0, problem, error, reset };
}
