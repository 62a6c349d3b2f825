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
  await expect(page.getByRole("listitem").filter({ hasText: "Lonely Peak has an unknown health" })).toContainText("Warning");
  await sayHealth(server.natsUrl, operatorId, "UNBOUND");
  const alert = page.getByRole("listitem").filter({ hasText: "Lonely Peak is unbound" });
  await expect(alert).toContainText("Critical");
  await expect(page.getByRole("status").filter({ hasText: "Lonely Peak is unbound" })).toBeAttached();
  await alert.getByRole("link").click();
  await expect(page).toHaveURL(new RegExp(`/operators/${operatorId}\\?tab=health$`));

  await api.deactivateOperator({ operatorId });
  await open("/", { page });
  await expect(page.getByText("Nothing needs attention")).toBeVisible();
});

test("decisions without an operator are counted and told", async ({ open, server }) => {
  const page = await open("/");
  await expect(page.getByText(/No decision is in the log/)).toBeVisible();
  const { routing, decisions } = server.api();
  for (let i = 0; i < 30; i++) {
    // Nobody has a rule for +999.
    const to = i % 3 === 0 ? `+9990000${String(1000 + i)}` : `+44791112${String(1000 + i)}`;
    await routing.selectOperator({ to, accountId: account, messageType: MessageType.SMS }).catch(() => undefined);
  }
  await expect.poll(async () => (await decisions.listDecisions({})).decisions.length).toBe(30);
  await expect(page.getByRole("listitem").filter({ hasText: "33.3 % of decisions found no operator" })).toContainText("Warning");
  await expect(page.getByRole("img", { name: /^Decisions a second/ })).toBeVisible();
  await page.getByRole("listitem").filter({ hasText: "found no operator" }).getByRole("link", { name: "Decisions" }).click();
  await expect(page).toHaveURL(/\/decisions\?failed=1$/);
  await expect(page.getByRole("switch", { name: "Without operator only" })).toBeChecked();
  await expect(page.getByRole("grid", { name: "Decisions" })).toContainText("No rule matches");
});

test("a viewer sees the same without the changes", async ({ open }) => {
  const page = await open("/", { as: "viewer" });
  await expect(page.getByRole("heading", { name: "Operators" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Recent changes" })).toHaveCount(0);
  const admin = await open("/");
  await expect(admin.getByRole("heading", { name: "Recent changes" })).toBeVisible();
  // The newest one; older ones make room for what other tests of this file change.
  await expect(admin.getByRole("listitem").filter({ hasText: "api_key.create" }).filter({ hasText: "browser test, viewer" })).toBeVisible();
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
  // Everywhere that the name stands: in what needs attention, in what is said aloud, and in what was changed.
  await expect(page.getByRole("listitem").filter({ hasText: `${name} has an unknown health` })).toBeVisible();
  await expect(page.getByRole("status").filter({ hasText: name })).toBeAttached();
  await expect(page.getByRole("listitem").filter({ hasText: "operator.create" }).filter({ hasText: name })).toBeVisible();
  await expect(page.locator("main img")).toHaveCount(0);
  expect(await page.title()).toBe(title);
  await api.deactivateOperator({ operatorId });
});

test("a server that is gone is told, and what was known stays", async ({ open, server, faults }) => {
  faults.expect(/ERR_|Failed to load resource|502|network/i);
  const page = await open("/");
  const bound = page.getByRole("group", { name: "Active, by bind" }).getByRole("link", { name: /^Bound/ });
  await expect(bound).toContainText("7");
  await server.kill();
  await expect(page.getByRole("listitem").filter({ hasText: "The server does not answer" })).toContainText("Critical");
  await expect(bound).toContainText("7");
  await server.restart();
  await expect(page.getByText("The server does not answer")).toHaveCount(0, { timeout: 30_000 });
});
