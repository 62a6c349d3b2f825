import { Code, ConnectError } from "@connectrpc/connect";
import { keepPreviousData, QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { describe, expect, it, vi } from "vitest";
import { useKept } from "../../../../src/pages/decisions/usekept";
import { toldAlready, troubleOf } from "../../../../src/pages/decisions/trouble";
import { describe as problemOf } from "../../../../src/api/errors";

const down = new ConnectError("", Code.Unavailable);
const patience = { timeout: 15_000 };

interface Asked {
  readonly question: string;
  /** Each look is another query. */
  readonly look: number;
}

/** Each visit has a client of its own. */
function visitor(): QueryClient {
  return new QueryClient({ defaultOptions: { queries: { retry: false } } });
}

/** A query of the server that answers looks with texts, and fails where there is none. */
function kept(answers: Readonly<Record<string, string>>, first: Asked, client = visitor()) {
  const wrapper = ({ children }: { readonly children: ReactNode }): ReactNode => <QueryClientProvider client={client}>{children}</QueryClientProvider>;
  return renderHook(
    ({ question, look }: Asked) => {
      const key = `${question}${String(look)}`;
      const queryFn = (): Promise<string> => (answers[key] === undefined ? Promise.reject(down) : Promise.resolve(answers[key]));
      return useKept(useQuery({ queryKey: [key], queryFn, placeholderData: keepPreviousData }), question, look);
    },
    { wrapper, initialProps: first },
  );
}

describe("the last answer", () => {
  it("stays with what was asked for when the next look fails, and says why it is old", async () => {
    const { result, rerender } = kept({ a1: "one" }, { question: "a", look: 1 });
    await waitFor(() => expect(result.current.data).toBe("one"), patience);
    const { at } = result.current;
    rerender({ question: "a", look: 2 });
    await waitFor(() => expect(result.current.problem?.unanswered).toBe(true), patience);
    expect(result.current).toMatchObject({ data: "one", asked: 1, at });
  });

  it("keeps its trouble until there is an answer", async () => {
    const { result, rerender } = kept({ a1: "one", a3: "three" }, { question: "a", look: 1 });
    await waitFor(() => expect(result.current.data).toBe("one"), patience);
    rerender({ question: "a", look: 2 });
    await waitFor(() => expect(result.current.problem).not.toBeUndefined(), patience);
    rerender({ question: "a", look: 3 });
    expect(result.current.problem).not.toBeUndefined();
    await waitFor(() => expect(result.current).toMatchObject({ data: "three", asked: 3, problem: undefined }), patience);
  });

  it("to another question is not shown once that failed", async () => {
    const { result, rerender } = kept({ a1: "one" }, { question: "a", look: 1 });
    await waitFor(() => expect(result.current.data).toBe("one"), patience);
    rerender({ question: "b", look: 1 });
    await waitFor(() => expect(result.current.problem).not.toBeUndefined(), patience);
    expect(result.current.data).toBeUndefined();
  });
});

describe("who comes back to the page while the server is down", () => {
  it.each([
    ["finds the last answer, and that it is old", "a", true, "one"],
    ["finds none to another question", "b", true, undefined],
    ["finds none of another caller", "a", false, undefined],
  ])("%s", async (_, question, same, data) => {
    const client = visitor();
    const before = kept({ a1: "one" }, { question: "a", look: 1 }, client);
    await waitFor(() => expect(before.result.current.data).toBe("one"), patience);
    before.unmount();
    const { result } = kept({}, { question, look: 2 }, same ? client : visitor());
    await waitFor(() => expect(result.current.problem?.unanswered).toBe(true), patience);
    expect(result.current.data).toBe(data);
    expect(result.current.at === undefined).toBe(data === undefined);
  });
});

describe("the trouble of a page", () => {
  const problem = problemOf(down);
  const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 22, 1, minute));

  it("is one for all parts, as old as the oldest, and tries all again that fail", () => {
    const [first, second, fine] = [vi.fn(), vi.fn(), vi.fn()];
    const trouble = troubleOf([{ retry: fine }, { problem, at: at(7), retry: first }, { problem, at: at(5), retry: second }]);
    expect(trouble?.since).toEqual(at(5));
    trouble?.retry();
    expect([first, second, fine].map((one) => one.mock.calls.length)).toEqual([1, 1, 0]);
  });

  it("is none when nothing fails", () => {
    expect(troubleOf([{ at: at(1), retry: () => undefined }])).toBeUndefined();
  });

  it.each([
    ["the server is silent, which the frame says", problem, { state: "lost" as const, since: at(1), silent: true }, true],
    ["the stream still lives", problem, { state: "live" as const }, false],
    ["the server gives a reason of its own", problemOf(new ConnectError("Too much.", Code.ResourceExhausted)), { state: "lost" as const, since: at(1), silent: true }, false],
  ])("is told again unless %s", (_, what, link, told) => {
    expect(toldAlready(what, link)).toBe(told);
  });
});
