import { describe, expect, it } from "vitest";
import { credential, refused, signIn, signOut } from "../../../src/api/session";

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
    expect(credential()).toBe("tl_new");
    refused("tl_new");
    expect(credential()).toBe("");
  });
});
