import { expect, type Server, sayHealth, test } from "./fixtures.js";

// Operators of this file alone: what is said of them is seen by nobody else.
test.use({ own: { table: "memory" } });

async function operatorId(server: Server, name: string): Promise<string> {
  const { operators } = await server.api().operators.listOperators({ search: name });
  const found = operators.find((operator) => operator.name === name);
  if (found === undefined) throw new Error(`there is no operator ${name}`);
  return found.operatorId;
}

test("an operator that loses its bind is seen without a reload, among the events, and as the first of the table", async ({ open, server }) => {
  const id = await operatorId(server, "Nordlink Transit");
  const page = await open("/health?range=1h");
  await expect(page.getByRole("row", { name: "Nordlink Transit Carrying" })).toBeVisible();
  await expect(page.getByText("Live", { exact: true })).toBeVisible();

  await sayHealth(server.natsUrl, id, "UNBOUND");
  const first = page.getByRole("grid", { name: "Operators by trouble" }).getByRole("row").nth(1);
  await expect(first).toContainText("Nordlink Transit");
  await expect(first).toContainText("Unbound");
  await expect(first).toContainText("By hand");
  await expect(page.getByRole("list", { name: "Events of health" }).getByRole("listitem").filter({ hasText: "Nordlink Transit" })).toContainText("Unbound");

  await sayHealth(server.natsUrl, id, "BOUND");
  await expect(page.getByRole("row", { name: "Nordlink Transit Carrying" })).toBeVisible();
});

test("a state of the address shows those operators alone", async ({ open, server }) => {
  const id = await operatorId(server, "Sahel Connect");
  await sayHealth(server.natsUrl, id, "DEGRADED");
  const page = await open("/health?state=watch");
  const table = page.getByRole("grid", { name: "Operators by trouble" });
  await expect(table).toContainText("Sahel Connect");
  await expect(table.getByRole("row")).toHaveCount(2);
  await expect(page.getByRole("button", { name: /^To watch/ })).toHaveAttribute("aria-pressed", "true");

  await page.getByRole("button", { name: /^Not in use/ }).click();
  await expect(table).toContainText("Bosphorus Exchange");
  await expect(page).toHaveURL(/state=unused/);
  await sayHealth(server.natsUrl, id, "HEALTHY");
});

test("a paused list of events holds still and counts what comes", async ({ open, server }) => {
  const id = await operatorId(server, "Pacific Gate");
  const page = await open("/health?events=all");
  const events = page.getByRole("list", { name: "Events of health" });
  // Sessions of the demo report every 10 s.
  await expect(events.getByText("Heartbeat").first()).toBeVisible();
  await page.getByRole("button", { name: "Pause" }).click();
  await sayHealth(server.natsUrl, id, "UNHEALTHY");
  await expect(page.getByRole("row", { name: "Pacific Gate Not carrying" })).toBeVisible();
  await expect(events.getByRole("listitem").filter({ hasText: "Unhealthy" })).toHaveCount(0);
  await page.getByRole("button", { name: /^Go on, \d+ new events?$/ }).click();
  await expect(events.getByRole("listitem").filter({ hasText: "Unhealthy" }).first()).toContainText("Pacific Gate");
  await sayHealth(server.natsUrl, id, "HEALTHY");
});

test("an operator opens by the keyboard, says why it is so, and Back closes it", async ({ open }) => {
  const page = await open("/health?range=24h");
  const row = page.getByRole("row", { name: "Andes Signal Carrying" });
  await expect(row).toBeVisible();
  await row.focus();
  await page.keyboard.press("Enter");
  const detail = page.getByRole("dialog", { name: "Andes Signal" });
  await expect(detail.getByRole("grid", { name: "Changes of health" })).toContainText("first bind");
  await expect(detail.getByRole("figure", { name: "Health of Andes Signal" })).toBeVisible();
  await expect(detail.getByRole("link", { name: "Rates, rules, credentials" })).toHaveAttribute("href", /\/console\/operators\/[0-9a-f-]{36}$/);
  await page.goBack();
  await expect(detail).toBeHidden();
  await expect(page).not.toHaveURL(/operator=/);
});

test("a viewer sees all of it, on a telephone too", async ({ open, context }) => {
  const page = await context.newPage();
  await page.setViewportSize({ width: 390, height: 844 });
  await open("/health", { as: "viewer", page });
  await expect(page.getByRole("row", { name: /^Andes Signal/ }).first()).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});

test("one that is bound to receive is not counted among those that carry", async ({ open }) => {
  const page = await open("/health?state=receives");
  const table = page.getByRole("grid", { name: "Operators by trouble" });
  await expect(table.getByRole("row", { name: "Kestrel Receipts Receives only" })).toBeVisible();
  await expect(table.getByRole("row")).toHaveCount(2);
  await page.getByRole("button", { name: /^Carrying/ }).click();
  await expect(table.getByRole("row", { name: /^Andes Signal/ })).toBeVisible();
  await expect(table.getByRole("row", { name: /^Kestrel/ })).toHaveCount(0);
});
