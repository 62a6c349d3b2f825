import { act, fireEvent, screen } from "@testing-library/react";
import { type ReactNode, useEffect } from "react";
import { Router } from "wouter";
import { expect, it } from "vitest";
import { useKeyText } from "../../../../src/pages/access/usekeytext";
import { show } from "../../parts/stage";

const text = "tl_the-text-of-a-key";

function Page({ shown }: { readonly shown: string }): ReactNode {
  const [tell, dialog] = useKeyText();
  useEffect(() => tell({ name: "portal", text: shown }), [tell, shown]);
  return <Router>{dialog}</Router>;
}

it("keeps the text of a key on the screen until somebody has kept it, and nowhere afterwards", () => {
  show(<Page shown={text} />);
  expect(screen.getByRole("dialog").textContent).toContain(text);
  fireEvent.keyDown(screen.getByRole("dialog"), { key: "Escape" });
  expect(screen.getByRole("dialog").textContent).toContain(text);
  expect(screen.queryByRole("button", { name: "Close" })).toBeNull();

  act(() => screen.getByRole("button", { name: "I have kept it" }).click());
  expect(document.documentElement.outerHTML).not.toContain(text);
  expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toContain(text);
  expect(location.href).not.toContain(text);
});

it("says what to do about a key whose text got lost on its way", () => {
  show(<Page shown="" />);
  expect(screen.getByRole("dialog").textContent).toContain("revoke it, and make another one");
});
