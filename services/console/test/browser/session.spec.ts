import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.js";

// Keys of this file are revoked.
test.use({ own: {} });

const question = (page: Page) => page.getByRole("dialog", { name: "Sign in again" });
const form = (page: Page) => page.getByRole("dialog", { name: "New operator" });
const create = "**/trunkline.operators.v1.OperatorService/CreateOperator";

async function answer(page: Page, key: string): Promise<void> {
  await page.getByRole("textbox", { name: "API key or token", exact: true }).fill(key);
  await question(page).getByRole("button", { name: "Sign in" }).click();
}

async function type(page: Page, name: string): Promise<void> {
  await form(page).getByLabel("Name").fill(name);
  await form(page).getByLabel("Host").fill("typed.example");
  await form(page).getByLabel("system_id").fill("typed");
  await form(page).getByLabel("TPS limit").fill("40");
}

test("who is refused over a form signs in above it, and sends what was typed", async ({ open, server, faults }) => {
  faults.expect(/401/);
  const page = await open("/operators?q=nord&new=1", { as: "operator" });
  await expect(form(page)).toBeVisible();
  // As a token that ends: the same caller has a newer one.
  await page.route(create, (route) => route.fulfill({ status: 401 }));
  await type(page, "Typed Before It Ended");
  await expect(question(page)).toBeVisible();
  await page.unroute(create);
  await expect(page.getByRole("textbox", { name: "API key or token", exact: true })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(question(page)).toBeVisible();
  await expect(form(page).getByLabel("Host")).toHaveValue("typed.example");

  await answer(page, "tl_wrong");
  await expect(question(page).getByText("Not signed in.", { exact: false })).toBeVisible();
  await answer(page, await server.key("operator"));
  await expect(question(page)).toBeHidden();
  await expect(page).toHaveURL(/\/operators\?q=nord&new=1$/);
  await expect(form(page).getByLabel("TPS limit")).toHaveValue("40");
  await form(page).getByRole("button", { name: "Create operator" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Typed Before It Ended" })).toBeVisible();
  await expect(page.getByRole("status").filter({ hasText: /^Live$/ })).toBeVisible();
});

test("somebody else finds the page, and nothing of what was typed", async ({ open, server, faults }) => {
  faults.expect(/401/);
  const api = server.api();
  const { apiKey, text } = await api.keys.createApiKey({ name: "short lived", role: 2 });
  const page = await open("/operators?new=1", { key: text });
  await expect(form(page)).toBeVisible();
  await api.keys.revokeApiKey({ keyId: apiKey?.keyId ?? "" });
  await type(page, "Typed By Another");
  await expect(question(page)).toBeVisible();
  await answer(page, await server.key("operator"));
  await expect(question(page)).toBeHidden();
  await expect(form(page).getByLabel("Name")).toHaveValue("");
  await expect(page).toHaveURL(/\/operators\?new=1$/);
});

test("who signs out instead leaves nothing behind", async ({ open, server, faults }) => {
  faults.expect(/401/);
  const api = server.api();
  const { apiKey, text } = await api.keys.createApiKey({ name: "short lived", role: 2 });
  const page = await open("/operators?new=1", { key: text });
  await expect(form(page)).toBeVisible();
  await api.keys.revokeApiKey({ keyId: apiKey?.keyId ?? "" });
  await type(page, "Typed And Left");
  await question(page).getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Trunkline" })).toBeVisible();
  await expect(page.getByText("You are signed out.", { exact: false })).toBeVisible();
  await expect(page.getByRole("dialog")).toHaveCount(0);
});
