import { act, fireEvent, screen } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { SearchBox } from "../../../src/parts/search";
import { show } from "./stage";

const told = vi.fn<(value: string) => void>();
const box = (): HTMLInputElement => screen.getByLabelText<HTMLInputElement>("Search rules");
const type = (value: string): boolean => fireEvent.change(box(), { target: { value } });
const wait = (ms: number): void => act(() => void vi.advanceTimersByTime(ms));
const search = (value = "") => <SearchBox label="Search rules" value={value} onChange={told} />;

describe("a search box", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    told.mockReset();
  });

  it("tells what was typed once nobody types any more", () => {
    show(search());
    type("+4");
    wait(200);
    type("+44");
    wait(200);
    expect(told).not.toHaveBeenCalled();
    wait(50);
    expect(told.mock.calls).toEqual([["+44"]]);
    wait(1000);
    expect(told).toHaveBeenCalledTimes(1);
  });

  it("tells at once by Enter, and not again", () => {
    show(search());
    type("+44");
    fireEvent.keyDown(box(), { key: "Enter" });
    wait(1000);
    expect(told.mock.calls).toEqual([["+44"]]);
  });

  it("is cleared by Esc, which then does nothing else", () => {
    const heard = vi.fn();
    show(<div onKeyDown={heard}>{search("+44")}</div>);
    fireEvent.keyDown(box(), { key: "Escape" });
    expect(told.mock.calls).toEqual([[""]]);
    expect(box().value).toBe("");
    expect(heard).not.toHaveBeenCalled();
    fireEvent.keyDown(box(), { key: "Escape" });
    expect(heard).toHaveBeenCalledTimes(1);
  });

  it("forgets what was on its way when it is cleared", () => {
    show(search("+44"));
    type("+4420");
    fireEvent.click(screen.getByLabelText("Clear search"));
    wait(1000);
    expect(told.mock.calls).toEqual([[""]]);
  });

  it("shows what changed it from outside, and forgets what was typed", () => {
    const { rerender } = show(search("+44"));
    type("+4420");
    rerender(search("+49"));
    expect(box().value).toBe("+49");
    wait(1000);
    expect(told).not.toHaveBeenCalled();
  });

  it("gets the focus by / from anywhere but other text", () => {
    show(
      <>
        {search("+44")}
        <input aria-label="Another" />
        <button>Do</button>
      </>,
    );
    const slash = (from: HTMLElement, more: object = {}): void => {
      from.focus();
      fireEvent.keyDown(from, { key: "/", ...more });
    };
    slash(screen.getByLabelText("Another"));
    expect(document.activeElement).toBe(screen.getByLabelText("Another"));
    slash(screen.getByText("Do"), { ctrlKey: true });
    expect(document.activeElement).toBe(screen.getByText("Do"));
    slash(screen.getByText("Do"));
    expect(document.activeElement).toBe(box());
    expect([box().selectionStart, box().selectionEnd]).toEqual([0, 3]);
  });
});
