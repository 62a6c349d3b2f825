import { Code, ConnectError } from "@connectrpc/connect";
import { act, fireEvent, renderHook, screen, waitFor } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { describe as words } from "../../../src/api/errors";
import { Merge, type MergeField } from "../../../src/parts/merge";
import { useMergedEdit } from "../../../src/parts/mergededit";
import { show } from "./stage";

interface Thing {
  readonly name: string;
}

const conflict = new ConnectError("the thing was changed", Code.Aborted);
const refused = words(conflict);
const fails = (error: unknown) => () => Promise.reject(error instanceof Error ? error : new Error("no"));

describe("an edit that another came before", () => {
  it("opens with theirs, and says nothing beside", async () => {
    const { result } = renderHook(() => useMergedEdit<Thing>(refused, () => Promise.resolve({ name: "theirs" })));
    expect(await act(() => result.current.save(fails(conflict)))).toBeUndefined();
    expect(result.current.theirs).toEqual({ name: "theirs" });
    expect(result.current.problem).toBeUndefined();
    act(() => result.current.close());
    expect(result.current.problem).toBe(refused);
  });

  it.each([
    ["fails", () => Promise.reject(new ConnectError("the database is away", Code.Unavailable)), "the database is away"],
    ["gives nothing", () => Promise.resolve(undefined), "The server gave nothing to compare with."],
  ])("says so when reading theirs %s", async (_, read, message) => {
    const { result } = renderHook(() => useMergedEdit<Thing>(refused, read));
    await act(() => result.current.save(fails(conflict)));
    expect(result.current.theirs).toBeUndefined();
    expect(result.current.problem).toMatchObject({ title: "Somebody else changed this meanwhile, and their version cannot be read", message });
  });

  it("reads nothing for another refusal", async () => {
    const problem = words(new ConnectError("no", Code.InvalidArgument));
    const read = vi.fn(() => Promise.resolve({ name: "theirs" }));
    const { result } = renderHook(() => useMergedEdit<Thing>(problem, read));
    await act(() => result.current.save(fails(new ConnectError("no", Code.InvalidArgument))));
    expect(read).not.toHaveBeenCalled();
    expect(result.current.problem).toBe(problem);
  });

  it("gives what was stored", async () => {
    const { result } = renderHook(() => useMergedEdit<Thing>(undefined, () => Promise.resolve(undefined)));
    expect(await act(() => result.current.save(() => Promise.resolve("stored")))).toBe("stored");
  });
});

const fields: MergeField<Thing>[] = [{ name: "name", label: "Name" }];

describe("a merge that another came before", () => {
  it("starts over with the newest version, and says why", async () => {
    const versions = [{ name: "theirs" }, { name: "newest" }];
    const send = vi.fn((theirs: Thing) => (theirs.name === "newest" ? Promise.resolve() : Promise.reject(conflict)));
    function Form() {
      const edit = useMergedEdit<Thing>(refused, () => Promise.resolve(versions.shift()));
      return (
        <>
          <button onClick={() => void edit.save(fails(conflict))}>Save</button>
          {edit.theirs !== undefined && (
            <Merge opened onClose={edit.close} subject="it" base={{ name: "base" }} mine={{ name: "mine" }} theirs={edit.theirs} fields={fields} onMerge={() => edit.merge(send)} />
          )}
        </>
      );
    }
    show(<Form />);
    fireEvent.click(screen.getByRole("button", { name: "Save" }));
    fireEvent.click(await screen.findByRole("radio", { name: "Name: take yours" }));
    fireEvent.click(screen.getByRole("button", { name: "Save the merged version" }));
    expect((await screen.findByRole("alert")).textContent).toContain("saved once more while you chose");
    expect((await screen.findByText("newest")).textContent).toBe("newest");
    expect(screen.getByRole("radio", { name: "Name: take yours" })).toHaveProperty("checked", false);
    fireEvent.click(screen.getByRole("radio", { name: "Name: take yours" }));
    fireEvent.click(screen.getByRole("button", { name: "Save the merged version" }));
    await waitFor(() => expect(send.mock.calls).toEqual([[{ name: "theirs" }], [{ name: "newest" }]]));
  }, 30_000);
});
