import { Code, ConnectError } from "@connectrpc/connect";
import { act, screen } from "@testing-library/react";
import type { ReactElement } from "react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { describe as inWords } from "../../../src/api/errors";
import { LiveContext } from "../../../src/live/events";
import type { Link } from "../../../src/live/follow";
import { Stale } from "../../../src/parts/states";
import { LostBanner } from "../../../src/shell/lost";
import { show } from "../parts/stage";

const during = (link: Link, ui: ReactElement) => show(<LiveContext value={{ link, listen: () => () => undefined }}>{ui}</LiveContext>);

const since = new Date(2026, 10, 22, 3, 4, 5);
const time = since.toLocaleTimeString();
const said = (after: number) => {
  act(() => {
    vi.advanceTimersByTime(after);
  });
  return screen.queryByRole("status")?.textContent;
};

beforeEach(() => {
  vi.useFakeTimers();
  history.replaceState(null, "", "/operators");
});

describe("the line under the header", () => {
  it.each([
    ["the stream broke", { state: "lost", since, silent: false }, `Live updates stopped. Figures are from ${time}.`],
    ["nothing answers", { state: "lost", since, silent: true }, `The server does not answer. Figures are from ${time}.`],
    ["it is live", { state: "live" }, undefined],
    ["it has not begun", { state: "connecting" }, undefined],
  ] as const)("when %s", (_, now, want) => {
    during(now, <LostBanner />);
    expect(said(4_900)).toBeUndefined();
    expect(said(200)).toBe(want);
  });

  it("leaves the overview alone, which says it itself", () => {
    history.replaceState(null, "", "/");
    during({ state: "lost", since, silent: true }, <LostBanner />);
    expect(said(60_000)).toBeUndefined();
  });
});

describe("data that may be old", () => {
  const away = inWords(new TypeError("Failed to fetch"));
  const refused = inWords(new ConnectError("The database is away.", Code.Unavailable));

  it.each([
    ["the server is away and the line says so", away, { state: "lost", since, silent: true }, false],
    ["a proxy answers for it", inWords(new ConnectError("HTTP 502", Code.Unavailable)), { state: "lost", since, silent: true }, false],
    ["one call found no way while the stream speaks", away, { state: "live" }, true],
    ["the server says why", refused, { state: "lost", since, silent: false }, true],
  ] as const)("is marked or not when %s", (_, problem, now, marked) => {
    during(now, <Stale since={since} problem={problem} />);
    expect(screen.queryByRole("status") !== null).toBe(marked);
  });
});
