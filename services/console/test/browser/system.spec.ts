import { expect, test } from "./fixtures.js";

// It is killed.
test.use({ own: { demo: false } });

test("tells dependencies, and opens each tab by its address", async ({ open }) => {
  const page = await open("/system");
  await expect(page.getByRole("status").filter({ hasText: "Ready" })).toContainText("It takes calls");
  await expect(page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: "nats" }) })).toContainText("Up");
  await page.getByRole("tab", { name: "Events" }).click();
  await expect(page).toHaveURL(/\?tab=events$/);
  await expect(page.getByText("Everything that was changed has been told.")).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("heading", { name: "nats" })).toBeVisible();
  await open("/system?tab=versions", { page });
  await expect(page.getByText("Runs for")).toBeVisible();
  await expect(page.getByText(/No engine in release mode was heard of/)).toBeVisible();
});

test("settings are found by the keyboard, and secrets are hidden", async ({ open }) => {
  const page = await open("/system?tab=settings");
  const grid = page.getByRole("grid", { name: "Settings" });
  await expect(grid).toContainText("server.addr");
  await page.keyboard.press("/");
  await page.keyboard.type("keys.pepper hidden");
  await expect(page.getByRole("status").filter({ hasText: /^\d+ settings?$/ })).toHaveText("1 setting");
  await expect(grid).toContainText("access.keys.pepper");
  await expect(grid).toContainText("hidden");
  await expect(page).toHaveURL(/q=keys\.pepper\+hidden/);
});

test("a viewer sees all but the settings", async ({ open }) => {
  const page = await open("/system?tab=settings", { as: "viewer" });
  await expect(page.getByText("Only an admin may see this")).toBeVisible();
  await page.getByRole("tab", { name: "Versions" }).click();
  await expect(page.getByText("Runs for")).toBeVisible();
});

test("a server that is gone is told, and the figures stay", async ({ open, server, faults }) => {
  faults.expect(/ERR_|Failed to load resource|network/i);
  const page = await open("/system");
  const nats = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: "nats" }) });
  await expect(nats).toContainText("Up");
  await server.kill();
  await expect(page.getByRole("status").filter({ hasText: "The server does not answer" })).toContainText("Figures are from", { timeout: 30_000 });
  await expect(page.getByText("Not up to date")).toHaveCount(0);
  await expect(nats).toContainText("Up");
  await server.restart();
  await expect(page.getByText("The server does not answer")).toHaveCount(0, { timeout: 30_000 });
});
