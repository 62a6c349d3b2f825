import { Outcome } from "@gen/routing/v1/routing_pb.js";
import { MessageType } from "@gen/routing/v1/types_pb.js";
import { expect, test } from "./fixtures.js";

const accountId = "00000000-0000-0000-0000-000000000001";
const to = "+447911123456";

test("a decision opens in the drawer, and its address opens it again", async ({ open, server }) => {
  const { meta } = await server.api().routing.selectOperator({ to, accountId, messageType: MessageType.SMS });
  const decisionId = meta?.decisionId ?? "";
  await expect.poll(async () => (await server.api().decisions.listDecisions({ decisionId })).decisions.length).toBe(1);
  const page = await open(`/decisions?decision=${decisionId}`);
  const drawer = page.getByRole("dialog", { name: "Decision" });
  await expect(drawer.getByText("+447911••••••")).toBeVisible();
  await expect(drawer.getByRole("link", { name: /Explain a made-up number/ })).toBeVisible();
});

test("a search for a whole number says that it is recorded, and is not in the address", async ({ open, server }) => {
  await server.api().routing.selectOperator({ to, accountId, messageType: MessageType.SMS });
  const page = await open("/decisions");
  await page.getByRole("button", { name: "Find a number" }).click();
  await expect(page.getByText(/written to the audit log/)).toBeVisible();
  await page.getByLabel("Number", { exact: true }).fill(to);
  await page.getByRole("button", { name: "Search and record it" }).click();
  await expect(page.getByText("The search is in the audit log.")).toBeVisible();
  expect(page.url()).not.toContain("7911123456");
});

test("a viewer is not offered the search for a number", async ({ open }) => {
  const page = await open("/decisions", { as: "viewer" });
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Decisions");
  await expect(page.getByRole("button", { name: "Pause" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Find a number" })).toHaveCount(0);
});

test("on a phone the plots are folded until somebody asks for them", async ({ open, server }) => {
  await server.api().routing.selectOperator({ to, accountId, messageType: MessageType.SMS });
  const page = await open("/decisions", { as: "viewer" });
  await expect(page.getByRole("heading", { name: "Time to decide" })).toBeVisible();
  await page.setViewportSize({ width: 390, height: 844 });
  await expect(page.getByRole("heading", { name: "Time to decide" })).toHaveCount(0);
  await page.getByRole("button", { name: "Show plots" }).click();
  await expect(page.getByRole("heading", { name: "Time to decide" })).toBeVisible();
  await expect(page).toHaveURL(/[?&]plots=1/);
  await page.getByRole("button", { name: "Hide plots" }).click();
  await expect(page.getByRole("heading", { name: "Time to decide" })).toHaveCount(0);
});

test("at 1280 px a row shows its time, price and outcome whole", async ({ open, server }) => {
  const { meta, operatorId } = await server.api().routing.selectOperator({ to, accountId, messageType: MessageType.SMS });
  await server.api().routing.reportOutcome({ decisionId: meta?.decisionId ?? "", operatorId, outcome: Outcome.UNDELIVERED });
  const page = await open("/decisions");
  await page.setViewportSize({ width: 1280, height: 800 });
  const grid = page.getByRole("grid", { name: "Decisions" });
  await expect(grid.getByText("Undelivered").first()).toBeVisible();
  const row = grid.getByRole("row").filter({ hasText: "Undelivered" }).first();
  const cut = await row.evaluate((element) =>
    [...element.querySelectorAll("[role=gridcell], time, time span")].filter((cell) => cell.scrollWidth > cell.clientWidth + 1 && cell.clientWidth > 0).map((cell) => cell.textContent),
  );
  expect(cut).toEqual([]);
  expect(await grid.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
});

test("with the log out of reach figures stay, and that is said once", async ({ open, server, faults }) => {
  faults.expect(/ERR_FAILED .*DecisionService/);
  await server.api().routing.selectOperator({ to, accountId, messageType: MessageType.SMS });
  const page = await open("/decisions");
  const rows = page.getByRole("grid", { name: "Decisions" }).getByText("+447911••••••");
  await expect(rows.first()).toBeVisible();
  const log = /trunkline\.routing\.v1\.DecisionService/;
  await page.route(log, (route) => route.abort());
  // The page looks every 10 s, and tries three times.
  await expect(page.getByText(/^Not up to date: .* Figures are from/)).toHaveCount(1, { timeout: 60_000 });
  await expect(page.getByRole("button", { name: "Try again" })).toHaveCount(1);
  await expect(rows.first()).toBeVisible();
  await expect(page.getByRole("figure", { name: "No-route rate" })).toBeVisible();
  // Who leaves the page and comes back finds them too.
  const pages = page.getByRole("navigation");
  await pages.getByRole("link", { name: "Releases" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Releases");
  await pages.getByRole("link", { name: "Decisions" }).click();
  await expect(page.getByText(/^Not up to date: .* Figures are from/)).toHaveCount(1, { timeout: 60_000 });
  await expect(rows.first()).toBeVisible();
  await page.unroute(log);
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByText(/^Not up to date/)).toHaveCount(0, { timeout: 60_000 });
});
