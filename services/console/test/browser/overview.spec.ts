import { MessageType } from "@gen/routing/v1/types_pb.js";
import { expect, sayHealth, test } from "./fixtures.js";

// Its operators go down, and it is stopped.
test.use({ own: {} });

const account = "00000000-0000-0000-0000-000000000001";

test("says that all is good, and where a count comes from", async ({ open }) => {
  const page = await open("/");
  await expect(page.getByRole("heading", { level: 1, name: "Overview" })).toBeVisible();
  await expect(page.getByRole("status").filter({ hasText: /^All good: \d+ operators? carr/ })).toBeAttached();
  await expect(page.getByText("Nothing needs attention")).toBeVisible();
  await expect(page.getByText("engines read the database")).toBeVisible();
  await page.getByRole("group", { name: "Not in use" }).getByRole("link", { name: /Suspended/ }).click();
  await expect(page).toHaveURL(/\/operators\?status=suspended$/);
});

test("an operator that goes down is told at once, with where to look", async ({ open, server }) => {
  const api = server.api().operators;
  const page = await open("/");
  await expect(page.getByText("Nothing needs attention")).toBeVisible();
  // One without a session of the demo, which would soon say that it is up.
  const { operator } = await api.createOperator({
    operator: { name: "Lonely Peak", host: "smpp.lonely.example", port: 2775, systemId: "lonely", tpsLimit: { maxTps: 10 } }, password: "s3cret-x",
  });
  const operatorId = operator?.operatorId ?? "";
  await api.activateOperator({ operatorId });
  await expect(page.getByRole("paragraph").filter({ hasText: "Lonely Peak has an unknown health" })).toBeVisible();
  await sayHealth(server.natsUrl, operatorId, "UNBOUND");
  // The headline tells it in full, so the list has no line for it.
  await expect(page.getByRole("paragraph").filter({ hasText: "Lonely Peak is unbound" })).toBeVisible();
  await expect(page.getByRole("status").filter({ hasText: "Lonely Peak is unbound" })).toBeAttached();
  await expect(page.getByRole("listitem").filter({ hasText: "Lonely Peak is unbound" })).toHaveCount(0);
  await expect(page.getByText("Nothing else needs attention")).toBeVisible();
  await page.getByRole("main").getByRole("link", { name: "Its health" }).click();
  await expect(page).toHaveURL(new RegExp(`/operators/${operatorId}\\?tab=health$`));

  await api.deactivateOperator({ operatorId });
  await open("/", { page });
  await expect(page.getByText("Nothing needs attention")).toBeVisible();
});

test("decisions without a route are counted and told", async ({ open, server }) => {
  const page = await open("/");
  await expect(page.getByText(/No decision is in the log/)).toBeVisible();
  const { routing, decisions } = server.api();
  for (let i = 0; i < 30; i++) {
    // Nobody has a rule for +999.
    const to = i % 3 === 0 ? `+9990000${String(1000 + i)}` : `+44791112${String(1000 + i)}`;
    await routing.selectOperator({ to, accountId: account, messageType: MessageType.SMS }).catch(() => undefined);
  }
  await expect.poll(async () => (await decisions.listDecisions({})).decisions.length).toBe(30);
  await expect(page.getByRole("paragraph").filter({ hasText: "No route for 33.3 % of decisions" })).toBeVisible();
  await expect(page.getByRole("img", { name: /^Decisions a second/ })).toBeVisible();
  await page.getByRole("main").getByRole("link", { name: "Decisions" }).click();
  await expect(page).toHaveURL(/\/decisions\?failed=1$/);
  await expect(page.getByRole("grid", { name: "Decisions" })).toContainText("No rule matches");
});

test("a viewer sees the same without the changes", async ({ open }) => {
  const page = await open("/", { as: "viewer" });
  await expect(page.getByRole("heading", { name: "Operators" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Recent changes" })).toHaveCount(0);
  const admin = await open("/");
  await expect(admin.getByRole("heading", { name: "Recent changes" })).toBeVisible();
  // The newest one; older ones make room for what other tests of this file change.
  await expect(admin.getByRole("listitem").filter({ hasText: "API key created" }).filter({ hasText: "browser test, viewer" })).toBeVisible();
});

test("the last changes are changes, whatever was refused since", async ({ open, server }) => {
  const api = server.api();
  await api.accounts.createAccount({ account: { name: "Changed before" } });
  const viewer = server.api(await server.key("viewer"));
  await expect(viewer.audit.listAuditRows({})).rejects.toThrow(/permission_denied/);
  await expect.poll(async () => (await api.audit.listAuditRows({ filter: { action: "access.denied" } })).rows.length).toBeGreaterThan(0);
  const page = await open("/");
  const changes = page.getByRole("region", { name: "Recent changes" });
  await expect(changes.getByRole("listitem").filter({ hasText: "Account created" }).filter({ hasText: "Changed before" })).toBeVisible();
  await expect(changes.getByText("Call refused")).toHaveCount(0);
});

test("overview and health count the same", async ({ open }) => {
  const page = await open("/");
  const states = page.getByRole("group", { name: "Active, by state" });
  await expect(states.getByRole("link", { name: /^Receives only/ })).toContainText("1");
  const counts = await states.getByRole("link").allInnerTexts();
  await states.getByRole("link", { name: /^Carrying/ }).click();
  await expect(page).toHaveURL(/\/health\?state=good$/);
  const tiles = page.getByRole("group", { name: "Operators by state" });
  await expect(tiles.getByRole("button", { name: /^Carrying/ })).toHaveAttribute("aria-pressed", "true");
  for (const text of counts) {
    const [word = "", count = ""] = text.split(/\n+/);
    await expect(tiles.getByRole("button", { name: new RegExp(`^${word}`) })).toContainText(count);
  }
});

test("a name is text", async ({ open, server }) => {
  const name = '<img src=x onerror="document.title=1">';
  const api = server.api().operators;
  const { operator } = await api.createOperator({
    operator: { name, host: "smpp.text.example", port: 2775, systemId: "text", tpsLimit: { maxTps: 10 } }, password: "s3cret-x",
  });
  const operatorId = operator?.operatorId ?? "";
  await api.activateOperator({ operatorId });
  const page = await open("/");
  const title = await page.title();
  // Everywhere that the name stands: in the headline or the list below it, whatever else needs attention, and in what was changed.
  await expect(page.getByText(`${name} has an unknown health`).first()).toBeVisible();
  await expect(page.getByRole("listitem").filter({ hasText: "Operator created" }).filter({ hasText: name })).toBeVisible();
  await expect(page.locator("main img")).toHaveCount(0);
  expect(await page.title()).toBe(title);
  await api.deactivateOperator({ operatorId });
});

test("a server that is gone is told once, and what was known stays", async ({ open, server, faults }) => {
  faults.expect(/ERR_|Failed to load resource|502|network/i);
  const page = await open("/");
  const bound = page.getByRole("group", { name: "Active, by bind" }).getByRole("link", { name: /^Bound/ });
  await expect(bound).toContainText("7");
  // A block that has no answer yet would tell for itself that none comes.
  await expect(page.getByRole("region", { name: "Recent changes" }).getByRole("listitem").first()).toBeVisible();
  await expect(page.getByText("engines read the database")).toBeVisible();
  await expect(page.getByRole("main").locator(".mantine-Skeleton-root")).toHaveCount(0);
  await server.kill();
  const told = page.getByRole("main").getByText("The server does not answer", { exact: false });
  await expect(page.getByText(/^Figures are from \d{1,2}:\d\d:\d\d/)).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole("status").filter({ hasText: /^Not live$/ })).toBeVisible({ timeout: 30_000 });
  // Once to see, and once for screen readers.
  await expect(told).toHaveCount(2);
  await expect(page.getByText("Figures are from")).toHaveCount(1);
  await expect(page.getByText("Live updates stopped")).toHaveCount(0);
  await expect(page.getByRole("main").getByRole("button", { name: "Try again" })).toHaveCount(0);
  await expect(bound).toContainText("7");
  await server.restart();
  await expect(page.getByText("The server does not answer")).toHaveCount(0, { timeout: 30_000 });
});
