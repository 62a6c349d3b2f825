import { MessageType } from "@gen/routing/v1/types_pb.js";
import type { Page } from "@playwright/test";
import { expect, type Server, sayHealth, test } from "./fixtures.js";

// One operator from its first line to its way out, with the mouse, as an admin.
test.use({ own: { table: "release" } });

const name = "Aurora Telecom";
/** No rule of the demo has it. */
const prefix = "+8831";
const number = "+88312345678";

/** What a loaded machine needs for what goes through several processes, in milliseconds. */
const patience = 30_000;

const heading = (page: Page, title: string | RegExp) => page.getByRole("heading", { level: 1, name: title });
const rowOf = (page: Page, grid: string, text: string) => page.getByRole("grid", { name: grid }).getByRole("row").filter({ hasText: text });

async function go(page: Page, title: string): Promise<void> {
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: title, exact: true }).click();
  await expect(heading(page, title)).toBeVisible();
}

async function pick(page: Page, candidate: string, operator: string): Promise<void> {
  const field = page.getByRole("combobox", { name: `Operator of ${candidate}` });
  await field.fill(operator);
  await page.getByRole("option", { name: operator }).click();
}

async function make(page: Page): Promise<string> {
  await go(page, "Operators");
  await page.getByRole("button", { name: "New operator" }).click();
  const drawer = page.getByRole("dialog", { name: "New operator" });
  await drawer.getByLabel("Name").fill(name);
  await drawer.getByLabel("Host").fill("smpp.aurora.example");
  await drawer.getByLabel("Port").fill("2775");
  await drawer.getByLabel("system_id").fill("aurora");
  await drawer.getByLabel("TPS limit").fill("80");
  await drawer.getByRole("button", { name: "Create operator" }).click();
  await expect(heading(page, name)).toBeVisible();
  return new URL(page.url()).pathname.split("/").at(-1) ?? "";
}

async function activate(page: Page): Promise<void> {
  await page.getByRole("tab", { name: "Credentials" }).click();
  await page.getByLabel("New password").fill("geheim1");
  await page.getByRole("button", { name: "Set password…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Set password" }).click();
  await expect(page.getByText(`${name} has a password now.`)).toBeVisible();
  await page.getByRole("tab", { name: "Overview" }).click();
  await page.getByRole("note").getByRole("button", { name: "Activate" }).click();
  await expect(page.getByText(`${name} is active.`)).toBeVisible();
}

async function importDeck(page: Page): Promise<void> {
  await go(page, "Rates");
  await page.getByRole("link", { name: "Import a deck" }).first().click();
  const deck = `Dial code;Rate EUR\n${prefix.slice(1)};0,0100\n`;
  await page.getByLabel("Rate deck").setInputFiles({ name: "aurora.csv", mimeType: "text/csv", buffer: Buffer.from(deck) });
  await page.getByRole("combobox", { name: "Operator" }).fill(name);
  await page.getByRole("option", { name }).click();
  await page.getByRole("radio", { name: "The full price list" }).check();
  await page.getByRole("button", { name: "Read the deck" }).click();
  await page.getByRole("button", { name: "Look at the changes" }).click();
  await expect(rowOf(page, "Changes", prefix)).toContainText("0.010000 EUR");
  await page.getByRole("button", { name: "Apply 1 change" }).click();
  await expect(page.getByText(`The prices of ${name} are stored.`)).toBeVisible();
}

async function makeRule(page: Page): Promise<void> {
  await go(page, "Rules");
  await page.getByRole("button", { name: "New rule" }).click();
  const editor = page.getByRole("dialog", { name: "New rule" });
  await editor.getByLabel("Prefix").fill(prefix);
  await editor.getByRole("radio", { name: "Cost" }).check();
  await pick(page, "candidate 1", name);
  await editor.getByRole("button", { name: "Add operator" }).click();
  await pick(page, "candidate 2", "Meridian Carrier");

  // Meridian has no price for it: the witness is a number for which nothing could be compared.
  const conflicts = editor.getByRole("region", { name: "Conflicts" });
  await expect(conflicts.getByText("NO_RATE")).toBeVisible();
  await expect(conflicts.getByRole("link", { name: /^Try \+8831\d+ in the route explorer$/ }).first()).toBeVisible();
  await editor.getByRole("button", { name: "Create rule" }).click();
  await expect(editor.getByRole("alert").filter({ hasText: "RULE_CONFLICT" })).toBeVisible();

  await editor.getByLabel("Price of candidate 2").fill("0.0900");
  await expect(conflicts.getByText("NO_RATE")).toBeHidden();
  await editor.getByRole("button", { name: "Create rule" }).click();
  await expect(page.getByText(`The rule for ${prefix} is stored.`)).toBeVisible();
}

async function publish(page: Page): Promise<void> {
  await go(page, "Releases");
  await page.getByRole("button", { name: "New release" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Description").fill("Aurora joins");
  await dialog.getByRole("button", { name: "Make the draft" }).click();
  await dialog.getByRole("button", { name: /^Open release/ }).click();
  await expect(heading(page, /^Release \d+$/)).toBeVisible();

  const search = page.getByRole("searchbox", { name: "Search changes" });
  await search.fill(prefix);
  await expect(rowOf(page, "Changes", prefix).filter({ hasText: /Rule/ })).toBeVisible();
  await expect(rowOf(page, "Changes", prefix).filter({ hasText: /Price|Rate/ })).toBeVisible();

  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(dialog.getByText(/What changes: .*rules: 1 new/)).toBeVisible();
  await dialog.getByLabel("Reason").fill("Aurora joins");
  await dialog.getByRole("button", { name: "Publish now" }).click();
  await expect(page.getByText("the engine serves it")).toBeVisible({ timeout: patience });
}

const answer = (page: Page) => page.getByRole("region", { name: "Answer" });

async function explain(page: Page): Promise<void> {
  await go(page, "Route explorer");
  await page.getByLabel("Number").fill(number);
}

async function decide(server: Server): Promise<void> {
  const api = server.api();
  const { account } = await api.accounts.createAccount({ account: { name: "Sender" } });
  const made = await api.routing.selectOperator({ to: number, accountId: account?.accountId ?? "", messageType: MessageType.SMS });
  expect(made.operatorName).toBe(name);
  await expect.poll(async () => (await api.decisions.listDecisions({ pageSize: 1 })).decisions.length, { timeout: patience }).toBe(1);
}

test("an operator joins, carries, fails, is replaced, and is taken back", async ({ open, server }) => {
  test.setTimeout(300_000);
  const page = await open("/");
  let operatorId = "";

  await test.step("nobody carries the number", async () => {
    await explain(page);
    await expect(answer(page).getByText("No route", { exact: true })).toBeVisible();
  });
  await test.step("the operator is made, gets its password and is activated", async () => {
    operatorId = await make(page);
    await activate(page);
  });
  await test.step("it gets its prices", () => importDeck(page));
  await test.step("a rule that leaves a price open is refused, and mended", () => makeRule(page));
  await test.step("a release shows what is new and is published", () => publish(page));

  await test.step("it carries the number", async () => {
    await sayHealth(server.natsUrl, operatorId, "BOUND");
    await explain(page);
    await expect(answer(page)).toContainText(name);
    await expect(answer(page)).toContainText("0.010000 EUR");
  });
  await test.step("a decision is logged", async () => {
    await decide(server);
    await go(page, "Decisions");
    await expect(rowOf(page, "Decisions", name)).toContainText(prefix);
  });

  await test.step("it is lost: seen where one looks, without a reload, and another one carries", async () => {
    const [health, operators] = await Promise.all([open("/health"), open("/operators?q=aurora")]);
    const onHealth = rowOf(health, "Operators by trouble", name);
    const onOperators = rowOf(operators, "Operators", name);
    await sayHealth(server.natsUrl, operatorId, "BOUND");
    await expect(onOperators).toContainText("Bound");
    await expect(health.getByText("Live", { exact: true })).toBeVisible();
    await expect(operators.getByText("Live", { exact: true })).toBeVisible();
    await sayHealth(server.natsUrl, operatorId, "UNBOUND");
    await expect(onHealth).toContainText("Unbound", { timeout: patience });
    await expect(onOperators).toContainText("Unbound", { timeout: patience });
    await explain(page);
    await expect(answer(page)).toContainText("Meridian Carrier");
    await expect(page.getByRole("region", { name: "How it came about" })).toContainText("Unbound");
  });

  await test.step("the release is taken back: nobody carries the number, as before", async () => {
    await go(page, "Releases");
    await page.getByRole("main").getByRole("button", { name: "Roll back" }).click();
    const dialog = page.getByRole("dialog", { name: "Roll back" });
    await expect(dialog.getByText(/rules: 1 gone/)).toBeVisible();
    await dialog.getByRole("button", { name: /^Go back to release/ }).click();
    await expect(page.getByText("the engine serves it")).toBeVisible({ timeout: patience });
    await explain(page);
    await expect(answer(page).getByText("No route", { exact: true })).toBeVisible();
  });

  await test.step("the audit log has all of it, and its chain is whole", async () => {
    await go(page, "Audit");
    const actions = page.getByRole("grid", { name: "Audit rows" });
    for (const action of ["Operator created", "Operator activated", "Rates imported", "Rule created", "Release created", "Release published", "Release rolled back"]) {
      await expect(actions.getByText(action).first()).toBeVisible();
    }
    await page.getByRole("button", { name: "Verify chain" }).click();
    await expect(page.getByText("Whole", { exact: true })).toBeVisible({ timeout: patience });
  });
});
