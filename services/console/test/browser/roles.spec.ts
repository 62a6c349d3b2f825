import { OperatorStatus } from "@gen/operators/v1/operator_pb.js";
import type { Page } from "@playwright/test";
import { expect, type Server, test } from "./fixtures.js";

// What is counted below is what callers of this file were refused.
test.use({ own: { table: "release" } });

// A second release in force, so that there is something to roll back.
test.beforeAll(async ({ shared }) => {
  const { releases } = shared.api();
  for await (const { step } of releases.createRelease({ description: "the second" })) {
    if (step.case === "result") await releases.publishRelease({ releaseId: step.value.release?.releaseId ?? "", reason: "for roles" });
  }
});

const all = ["Overview", "Operators", "Rules", "Rates", "Route explorer", "Releases", "Health", "Decisions", "Access", "Audit", "System"];
const forbidden = /^Your (?:role|key) does not allow this$/;

const pages = (page: Page) => page.getByRole("navigation", { name: "Pages" }).getByRole("link");

/** Goes through everything that the navigation offers, as people do, and waits until each is shown whole. */
async function visitAll(page: Page): Promise<void> {
  for (const name of await pages(page).allTextContents()) {
    await pages(page).filter({ hasText: name }).click();
    await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
    await expectWhole(page);
  }
}

async function expectWhole(page: Page): Promise<void> {
  await expect(page.locator(".mantine-Skeleton-root, .mantine-Loader-root, [aria-busy=true]")).toHaveCount(0);
  await expect(page.getByText(forbidden)).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Try again" })).toHaveCount(0);
}

/** Opens addresses that the caller may not see: each says so, and offers nothing. */
async function expectForbidden(page: Page, server: Server, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await page.goto(`${server.url}/console${path}`);
    await expect(page.getByText(forbidden)).toBeVisible();
    await expect(page.getByRole("main").getByRole("button")).toHaveCount(0);
  }
}

/** Opens an address and looks for buttons and links that the caller has no use for. */
async function expectWithout(page: Page, server: Server, path: string, names: readonly RegExp[]): Promise<void> {
  await page.goto(`${server.url}/console${path}`);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expectWhole(page);
  for (const name of names) {
    await expect(page.getByRole("main").getByRole("button", { name })).toHaveCount(0);
    await expect(page.getByRole("main").getByRole("link", { name })).toHaveCount(0);
  }
}

/**
 * Fails when the console made calls as the holder of the key that were refused. One refused call is made here, after all others, so
 * that it is known that refusals are seen.
 */
async function expectNothingRefused(server: Server, key: string): Promise<void> {
  const own = server.api(key);
  const { name } = await own.caller.getCaller({});
  await expect(own.audit.listAuditRows({})).rejects.toThrow(/permission_denied/);
  const refused = async () => {
    const { rows } = await server.api().audit.listAuditRows({ filter: { actor: name, action: "access.denied" }, pageSize: 100 });
    return rows.map(({ entityId, after }) => `${entityId} ${after}`);
  };
  await expect.poll(async () => (await refused()).join()).toContain("ListAuditRows");
  expect(await refused()).toEqual([expect.stringContaining("ListAuditRows")]);
}

async function firstIds(server: Server): Promise<{ operator: string; rule: string; release: string }> {
  const api = server.api();
  const { operators } = await api.operators.listOperators({ statuses: [OperatorStatus.ACTIVE], pageSize: 1 });
  const { rules } = await api.rules.listRoutingRules({ pageSize: 1 });
  const { release } = await api.releases.getRelease({});
  return { operator: operators[0]?.operatorId ?? "", rule: rules[0]?.ruleId ?? "", release: release?.releaseId ?? "" };
}

test("a viewer sees all but the audit log and changes nothing", async ({ open, server }) => {
  const key = await server.key("viewer");
  const { operator, rule, release } = await firstIds(server);
  const page = await open("/", { as: "viewer" });
  await expect(pages(page)).toHaveText(all.filter((name) => name !== "Audit"));
  await visitAll(page);

  await expectWithout(page, server, "/operators?new=1", [/New operator/, /Import/]);
  await expectWithout(page, server, `/operators/${operator}?do=suspend`, [/Edit/, /Suspend/, /More/]);
  await expectWithout(page, server, `/operators/${operator}?tab=credentials`, [/Rotate/]);
  await expectWithout(page, server, "/rules", [/New rule/, /^Import/]);
  await expectWithout(page, server, "/rates?tab=fx&edit=1", [/Import/, /the table/]);
  await expectWithout(page, server, "/releases?new=1", [/New release/, /Roll back/]);
  await expectWithout(page, server, `/releases/${release}?publish=1`, [/Publish/, /Roll back/, /Approve/]);
  await expectWithout(page, server, "/decisions", [/Find a number/]);
  await expectWithout(page, server, "/access?new=1", [/New account/, /New key/]);
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.goto(`${server.url}/console/rules?rule=${rule}`);
  await expect(page.getByRole("dialog")).toBeVisible();
  await expect(page.getByRole("dialog").getByRole("button", { name: /Save|Delete/ })).toHaveCount(0);

  await expectForbidden(page, server, ["/audit", "/rules/import", "/rates/import"]);
  await page.goto(`${server.url}/console/rules?new=1`);
  await expect(page.getByText(forbidden)).toBeVisible();
  await page.goto(`${server.url}/console/access?tab=keys`);
  await expect(page.getByText(forbidden)).toBeVisible();
  await expectNothingRefused(server, key);
});

test("an operator changes what carries messages, and puts nothing in force", async ({ open, server }) => {
  const key = await server.key("operator");
  const { operator, release } = await firstIds(server);
  const page = await open("/operators", { as: "operator" });
  await expect(pages(page)).toHaveText(all.filter((name) => name !== "Audit"));
  await expect(page.getByRole("button", { name: "New operator" })).toBeVisible();
  await visitAll(page);

  await page.goto(`${server.url}/console/operators/${operator}`);
  await expect(page.getByRole("button", { name: "Suspend…" })).toBeVisible();
  await page.goto(`${server.url}/console/rules`);
  await expect(page.getByRole("button", { name: "New rule" })).toBeVisible();
  await page.goto(`${server.url}/console/rates`);
  await expect(page.getByRole("link", { name: "Import a deck" }).first()).toBeVisible();
  await page.goto(`${server.url}/console/releases`);
  await expect(page.getByRole("button", { name: "New release" })).toBeVisible();
  await expectWithout(page, server, `/releases/${release}?publish=1&rollback=1`, [/Publish/, /Roll back/, /Approve/]);
  await expectWithout(page, server, "/decisions", [/Find a number/]);
  await expectWithout(page, server, "/access?new=1", [/New account/, /New key/]);
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expectForbidden(page, server, ["/audit"]);
  await expectNothingRefused(server, key);
});

test("an admin sees everything", async ({ open, server }) => {
  const { release } = await firstIds(server);
  const page = await open("/");
  await expect(pages(page)).toHaveText(all);
  await visitAll(page);
  await page.goto(`${server.url}/console/access?tab=keys`);
  await expect(page.getByRole("button", { name: "New key" })).toBeVisible();
  await page.goto(`${server.url}/console/decisions`);
  await expect(page.getByRole("button", { name: "Find a number" })).toBeVisible();
  await page.goto(`${server.url}/console/releases/${release}`);
  await expect(page.getByRole("button", { name: "Roll back" })).toBeVisible();
});

test("whoever is bound to an account sees rules, routes and access of that account", async ({ open, server }) => {
  const api = server.api();
  const { account } = await api.accounts.createAccount({ account: { name: "Bound to it" } });
  await api.accounts.createAccount({ account: { name: "Somebody else" } });
  const key = await api.makeKey("operator", account?.accountId ?? "");
  const page = await open("/", { key });
  await expect(page).toHaveURL(/\/console\/rules$/);
  await expect(pages(page)).toHaveText(["Rules", "Route explorer", "Access"]);
  await visitAll(page);
  await expect(page.getByRole("grid", { name: "Accounts" })).toContainText("Bound to it");
  await expect(page.getByText("Somebody else")).toHaveCount(0);
  await page.getByRole("button", { name: "Who is signed in" }).click();
  await expect(page.getByText("Bound to Bound to it")).toBeVisible();

  await page.goto(`${server.url}/console/explore#to=+447911123456`);
  await expect(page.getByRole("region", { name: "Answer" })).toContainText("Nordlink Transit");
  await expectForbidden(page, server, ["/operators", "/rates", "/releases", "/health", "/decisions", "/audit", "/system"]);
  await expectNothingRefused(server, key);
});
