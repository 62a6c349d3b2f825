import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { describe as words } from "../../../src/api/errors";
import { isConflict, Merge, type MergeField } from "../../../src/parts/merge";
import { mergeOf, same, threeWay } from "../../../src/parts/threeway";
import { show } from "./stage";

interface Operator {
  readonly name: string;
  readonly port: number;
  readonly notes: string;
  readonly types: readonly string[];
  readonly etag: string;
}

const base: Operator = { name: "Acme", port: 2775, notes: "old", types: ["SMS"], etag: "1" };
const mine: Operator = { ...base, port: 2776, notes: "mine" };
const theirs: Operator = { ...base, name: "Acme 2", notes: "theirs", etag: "2" };
const names = ["name", "port", "notes", "types"] as const;

describe("three versions", () => {
  it("tell who changed what", () => {
    expect(threeWay(base, mine, theirs, names)).toEqual({ name: "theirs", port: "mine", notes: "conflict", types: "same" });
    expect(threeWay(base, { ...base, notes: "x" }, { ...base, notes: "x" }, ["notes"])).toEqual({ notes: "both" });
  });

  it("become one, with the etag of theirs", () => {
    expect(mergeOf(base, mine, theirs, names, { notes: "mine" })).toEqual({ name: "Acme 2", port: 2776, notes: "mine", types: ["SMS"], etag: "2" });
    expect(mergeOf(base, mine, theirs, names, { notes: "theirs" }).notes).toBe("theirs");
    expect(mergeOf(base, mine, theirs, names, {}).notes).toBe("theirs");
  });

  it("are compared by what they hold", () => {
    expect(same([1n, { a: "x" }], [1n, { a: "x" }])).toBe(true);
    expect(same({ a: 1 }, { a: 1, b: undefined })).toBe(true);
    expect(same([], {})).toBe(false);
    expect(same(1n, 1)).toBe(false);
    expect(same(undefined, null)).toBe(false);
  });
});

const fields: MergeField<Operator>[] = [
  { name: "name", label: "Name" },
  { name: "port", label: "Port", render: (port) => `port ${String(port)}` },
  { name: "notes", label: "Notes" },
  { name: "types", label: "Message types" },
];

describe("the dialog", () => {
  it("asks only where both changed, and sends what was chosen", async () => {
    const merge = vi.fn(() => Promise.resolve());
    const close = vi.fn();
    show(<Merge opened onClose={close} subject="operator Acme" base={base} mine={mine} theirs={theirs} fields={fields} onMerge={merge} />);
    expect(await screen.findByRole("button", { name: "1 to choose" })).toHaveProperty("disabled", true);
    expect(screen.getAllByRole("radio")).toHaveLength(2);
    expect(screen.queryByText("Message types")).toBeNull();
    expect(screen.queryByText("port 2776")).not.toBeNull();
    await userEvent.click(screen.getByRole("radio", { name: "Notes: take yours" }));
    await userEvent.click(screen.getByRole("button", { name: "Save the merged version" }));
    expect(merge).toHaveBeenCalledExactlyOnceWith({ name: "Acme 2", port: 2776, notes: "mine", types: ["SMS"], etag: "2" });
    await waitFor(() => expect(close).toHaveBeenCalledTimes(1));
  });

  it("stays when saving fails", async () => {
    const close = vi.fn();
    const merge = () => Promise.reject(new ConnectError("again", Code.Aborted));
    show(<Merge opened onClose={close} subject="x" base={base} mine={{ ...base, port: 1 }} theirs={base} fields={fields} onMerge={merge} />);
    await userEvent.click(await screen.findByRole("button", { name: "Save the merged version" }));
    expect((await screen.findByRole("alert")).textContent).toContain("again");
    expect(close).not.toHaveBeenCalled();
  });

  it("is for conflicts of the etag", () => {
    expect(isConflict(words(new ConnectError("x", Code.Aborted)))).toBe(true);
    expect(isConflict(words(new ConnectError("x", Code.NotFound)))).toBe(false);
    expect(isConflict(undefined)).toBe(false);
  });
});
