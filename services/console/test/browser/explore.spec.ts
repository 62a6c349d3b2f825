import { expect, test } from "./fixtures.js";

test("a number is explained as soon as it is valid, and stays out of the query string", async ({ open }) => {
  const page = await open("/explore");
  await page.getByLabel("Number", { exact: true }).fill("0044 7911-123456");
  await expect(page.getByRole("table", { name: "Candidates of the rule for +447911" })).toBeVisible();
  expect(new URL(page.url()).hash).toBe("#+447911123456");
  expect(new URL(page.url()).search).toBe("");
});

test("without a number there is one thing to do, so the field has the focus", async ({ open }) => {
  const page = await open("/explore");
  await expect(page.getByLabel("Number", { exact: true })).toBeFocused();
  await page.goto(page.url().replace("/explore", "/rules"));
  await page.getByRole("link", { name: "Route explorer" }).click();
  await expect(page.getByLabel("Number", { exact: true })).toBeFocused();
});

test("one click asks without the operator and says what that costs", async ({ open }) => {
  const page = await open("/explore#to=+447911123456");
  await page.getByRole("button", { name: /^Ask without / }).first().click();
  await expect(page.getByText(/With nobody left out:/)).toBeVisible();
  await page.getByRole("button", { name: "Leave nobody out" }).click();
  await expect(page.getByText(/With nobody left out:/)).toHaveCount(0);
});

test("a number without a route says so in words", async ({ open }) => {
  const page = await open("/explore#+8811123456");
  await expect(page.getByText("No route", { exact: true })).toBeVisible();
});

test("whoever is bound to an account opens the rules of the answer, and is led to no page that it may not see", async ({ open, server }) => {
  const api = server.api();
  const { account } = await api.accounts.createAccount({ account: { name: "Explorer of its own" } });
  const key = await api.makeKey("viewer", account?.accountId ?? "");
  const page = await open("/explore#to=+447911123456", { key });
  await expect(page.getByRole("textbox", { name: "Account" })).toHaveValue("Explorer of its own");
  const main = page.getByRole("main");
  await expect(main.getByRole("link", { name: "Open the rule" }).first()).toBeVisible();
  await expect(main.getByRole("link").and(page.locator(":not([href*='/rules?rule='])"))).toHaveCount(0);
  await page.goto(page.url().replace(/#.*/, "#+8811123456"));
  await expect(page.getByText("Ask an operator for one")).toBeVisible();
  await expect(main.getByRole("link")).toHaveCount(0);
});

test("some digits show the rules under them", async ({ open }) => {
  const page = await open("/explore#+447");
  await expect(page.getByRole("heading", { name: "Rules under +447" })).toBeVisible();
});
