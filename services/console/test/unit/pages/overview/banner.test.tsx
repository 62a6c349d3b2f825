import { screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { Banner } from "../../../../src/pages/overview/banner";
import { show } from "../../parts/stage";

it.each([
  ["the headline is said aloud without the rate, which changes every second", "Andes is unbound", "42 decisions/s"],
  ["markup in a name is text, seen and said", '<img src=x onerror="document.title=1"> is unbound', ""],
])("%s", (_, text, aside) => {
  const { container } = show(<Banner headline={{ tone: "bad", text, aside }} />);
  expect(screen.getByRole("status").textContent).toBe(text);
  expect(screen.getByRole("paragraph").textContent).toBe(text);
  expect(container.querySelector("img")).toBeNull();
  expect(screen.queryAllByText("42 decisions/s")).toHaveLength(aside === "" ? 0 : 1);
});
