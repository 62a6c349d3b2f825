import { act, renderHook } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { useHashNumber, useListParam, useParam, useParams, withParams } from "../../../src/parts/params";

const at = (path: string): void => history.replaceState(null, "", path);

describe("useParam", () => {
  it("reads the query string", () => {
    at("/rules?q=acme");
    const { result } = renderHook(() => useParam("q"));
    expect(result.current[0]).toBe("acme");
  });

  it("writes it, and leaves the rest and the fragment alone", () => {
    at("/rules?tab=x#+491");
    const { result } = renderHook(() => useParam("q"));
    act(() => result.current[1]("a b&c"));
    expect(result.current[0]).toBe("a b&c");
    expect(location.search).toBe("?tab=x&q=a+b%26c");
    expect(location.hash).toBe("#+491");
  });

  it("leaves the initial value out", () => {
    at("/?sort=-name");
    const { result } = renderHook(() => useParam("sort", "name"));
    act(() => result.current[1]("name"));
    expect(location.search).toBe("");
    expect(result.current[0]).toBe("name");
  });

  it("can hold nothing where the initial value is something", () => {
    const { result } = renderHook(() => useParam("status", "active"));
    act(() => result.current[1](""));
    expect(result.current[0]).toBe("");
    expect(location.search).toBe("?status=-");
  });

  it("does not decode twice", () => {
    const { result } = renderHook(() => useParam("q"));
    act(() => result.current[1]("100%41"));
    expect(result.current[0]).toBe("100%41");
  });

  it("replaces unless told to push", () => {
    const { result } = renderHook(() => useParam("q"));
    const before = history.length;
    act(() => result.current[1]("a"));
    expect(history.length).toBe(before);
    act(() => result.current[1]("b", "push"));
    expect(history.length).toBe(before + 1);
  });

  it("keeps two changes that come in one event", () => {
    const { result } = renderHook(() => [useParam("a"), useParam("b")] as const);
    act(() => {
      result.current[0][1]("1");
      result.current[1][1]("2");
    });
    expect(location.search).toBe("?a=1&b=2");
  });
});

describe("the others", () => {
  it("useParams changes several in one history entry", () => {
    const { result } = renderHook(() => useParams({ a: "", b: "x" }));
    const before = history.length;
    act(() => result.current[1]({ a: "1", b: "y" }, "push"));
    expect(result.current[0]).toEqual({ a: "1", b: "y" });
    expect(history.length).toBe(before + 1);
  });

  it("useListParam holds a list", () => {
    const { result } = renderHook(() => useListParam("status"));
    expect(result.current[0]).toEqual([]);
    act(() => result.current[1](["A", "B"]));
    expect(result.current[0]).toEqual(["A", "B"]);
    act(() => result.current[1]([]));
    expect(location.search).toBe("");
  });

  it("useHashNumber keeps a number in the fragment only", () => {
    at("/explorer?account=1");
    const { result } = renderHook(() => useHashNumber());
    act(() => result.current[1]("+4915112345678"));
    expect(result.current[0]).toBe("+4915112345678");
    expect(location.hash).toBe("#+4915112345678");
    expect(location.search).toBe("?account=1");
    act(() => result.current[1]("<b>"));
    expect(location.hash).toBe("");
  });

  it("useHashNumber takes no fragment that is no number", () => {
    at("/explorer#top");
    const { result } = renderHook(() => useHashNumber());
    expect(result.current[0]).toBe("");
  });

  it("withParams leaves empty values out", () => {
    expect(withParams("/rules", { q: "a&b", x: "", y: undefined })).toBe("/rules?q=a%26b");
    expect(withParams("/rules", {})).toBe("/rules");
  });
});
