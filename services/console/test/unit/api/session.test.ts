import { afterEach, describe, expect, it } from "vitest";
import { credential, isRefused, refused, signIn, signOut, visit } from "../../../src/api/session";

afterEach(signOut);

describe("the session", () => {
  it("keeps the credential for a reload of this tab and forgets it at the end", () => {
    signIn("tl_one");
    expect(credential()).toBe("tl_one");
    expect(sessionStorage.getItem("trunkline.credential")).toBe("tl_one");
    expect(localStorage.length).toBe(0);
    signOut();
    expect(credential()).toBe("");
    expect(sessionStorage.length).toBe(0);
  });

  it("ends when the server refuses the credential, and not when it refuses an older one", () => {
    signIn("tl_new");
    refused("tl_old");
    expect([credential(), isRefused()]).toEqual(["tl_new", false]);
    refused("tl_new");
    expect([credential(), isRefused()]).toEqual(["", true]);
    expect(sessionStorage.length).toBe(0);
  });

  it("is the same visit for who was refused and comes back, and another one for everybody else", () => {
    signIn("tl_one");
    const first = visit();
    refused("tl_one");
    expect(visit()).toBe(first);
    signIn("tl_newer", true);
    expect([visit(), isRefused()]).toEqual([first, false]);
    refused("tl_newer");
    signIn("tl_other");
    expect(visit()).not.toBe(first);
    const second = visit();
    signOut();
    signIn("tl_other");
    expect(visit()).not.toBe(second);
  });
});
