import type { DescMessage, DescMethodServerStreaming, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { describe, type Problem } from "../api/errors";
import { unlimited } from "../api/transport";
import { invalidate } from "./invalidate";
import { notifyDone } from "./notify";
import { RequestIds } from "./requestid";

export interface JobProgress {
  readonly done: bigint;
  readonly total: bigint;
}

/** What one message of the stream says. */
export interface JobStep<R> {
  readonly progress?: JobProgress;
  readonly result?: R;
}

export type JobState = "idle" | "running" | "done" | "failed" | "cancelled";

interface Running<R> {
  readonly state: JobState;
  readonly progress: JobProgress | undefined;
  readonly result: R | undefined;
  readonly problem: Problem | undefined;
  /** What problem was made of, for details of its own such as RuleConflict. */
  readonly error?: unknown;
  readonly startedAt: Date | undefined;
}

export interface Job<I extends DescMessage, R> extends Running<R> {
  /** Resolves to the result, or to undefined when it failed or was cancelled. Starting again cancels what runs. */
  readonly start: (input: MessageInitShape<I>) => Promise<R | undefined>;
  readonly cancel: () => void;
  readonly reset: () => void;
}

interface JobOptions<R> {
  /** Services whose answers change with it; none unless told, as checks change nothing. */
  readonly invalidates?: readonly DescService[];
  readonly done?: string | ((result: R) => string);
  /** Another transport than the console's own. */
  readonly transport?: Transport;
}

const idle: Running<never> = { state: "idle", progress: undefined, result: undefined, problem: undefined, startedAt: undefined };

/**
 * Long work that tells how far it is. read turns each message of the stream into a step; it is given the former result, so that an answer
 * that comes in parts can be put together. Leaving the page cancels.
 */
export function useJob<I extends DescMessage, O extends DescMessage, R>(
  method: DescMethodServerStreaming<I, O>,
  read: (message: MessageShape<O>, former: R | undefined) => JobStep<R>,
  options: JobOptions<R> = {},
): Job<I, R> {
  const console = useTransport();
  const transport = options.transport ?? console;
  const client = useQueryClient();
  const ids = useMemo(() => new RequestIds(method.input, 1), [method]);
  const [running, setRunning] = useState<Running<R>>(idle);
  const current = useRef<AbortController | undefined>(undefined);
  const now = useRef({ read, options });
  now.current = { read, options };
  useEffect(() => () => current.current?.abort(), []);

  const start = useCallback(
    async (input: MessageInitShape<I>): Promise<R | undefined> => {
      current.current?.abort();
      const control = new AbortController();
      current.current = control;
      // A job that was replaced has nothing to say any more.
      const tell = (change: Partial<Running<R>>): void => {
        if (current.current === control) setRunning((former) => ({ ...former, ...change }));
      };
      setRunning({ ...idle, state: "running", startedAt: new Date() });
      let result: R | undefined;
      try {
        const request = ids.give(input);
        const answer = await transport.stream(method, control.signal, unlimited, undefined, only(request as MessageInitShape<I>), undefined);
        for await (const message of answer.message) {
          if (control.signal.aborted) break;
          const step = now.current.read(message, result);
          if (step.result !== undefined) result = step.result;
          tell({ result, ...(step.progress === undefined ? {} : { progress: step.progress }) });
        }
        if (control.signal.aborted) throw new ConnectError("cancelled", Code.Canceled);
        if (result === undefined) throw new ConnectError("The server ended the work without a result. Try again.", Code.Internal);
        ids.done(request);
      } catch (error) {
        tell(control.signal.aborted ? { state: "cancelled", result: undefined } : { state: "failed", problem: describe(error), error });
        return undefined;
      }
      const { invalidates = [], done } = now.current.options;
      void invalidate(client, invalidates);
      tell({ state: "done" });
      if (done !== undefined) notifyDone(typeof done === "string" ? done : done(result));
      return result;
    },
    [transport, method, client, ids],
  );
  const cancel = useCallback(() => {
    current.current?.abort();
    setRunning((former) => (former.state === "running" ? { ...former, state: "cancelled", result: undefined } : former));
  }, []);
  const reset = useCallback(() => {
    current.current?.abort();
    current.current = undefined;
    setRunning(idle);
  }, []);
  return { ...running, start, cancel, reset };
}

async function* only<T>(message: T): AsyncIterable<T> {
  yield message;
}

interface StepMessage {
  readonly step:
    | { readonly case: "progress"; readonly value: JobProgress }
    | { readonly case: "result" | "report" | "verdict"; readonly value: unknown }
    | { readonly case: "verified"; readonly value: bigint }
    | { readonly case: undefined; readonly value?: undefined };
}

type ResultOf<S> = S extends { readonly case: "result" | "report" | "verdict"; readonly value: infer R } ? R : never;

/** For streams of progress, and a result at the end: imports, CreateRelease, ReplayRelease, VerifyAuditChain. */
export function stepOf<M extends StepMessage>(message: M): JobStep<ResultOf<M["step"]>> {
  const { step } = message;
  switch (step.case) {
    case "progress":
      return { progress: { done: step.value.done, total: step.value.total } };
    case "verified":
      return { progress: { done: step.value, total: 0n } };
    case undefined:
      return {};
    default:
      return { result: step.value as ResultOf<M["step"]> };
  }
}
