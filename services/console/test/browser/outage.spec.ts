import type { Page } from "@playwright/test";
import { expect, Server, test } from "./fixtures.js";

// Each test has a server of its own, which it ends.
const refused = /Failed to load resource: net::ERR_|net::ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET|EMPTY_RESPONSE)/;

/** How long a page may need to hear of it, in milliseconds: it waits up to 15 s between two tries, and calls have deadlines. */
const patience = 30_000;

const live = (page: Page) => page.getByRole("status").filter({ hasText: /^Live$/ });
const notLive = (page: Page) => page.getByRole("status").filter({ hasText: /^Not live$/ });
const banner = (page: Page) => page.getByRole("status").filter({ hasText: /^The server does not answer\. Figures are from \d{1,2}:\d\d:\d\d( [AP]M)?\.$/ });
const top = (page: Page) => page.getByRole("heading", { level: 1 }).evaluate((heading) => heading.getBoundingClientRect());

async function withServer(use: (server: Server) => Promise<void>): Promise<void> {
  const server = await Server.start({ table: "release" });
  try {
    await use(server);
  } finally {
    await server.dispose();
  }
}

/** Opens the console of such a server. */
async function visit(page: Page, server: Server, path: string, key: string): Promise<void> {
  await page.addInitScript((text) => {
    if (sessionStorage.getItem("test.signed-in") !== null) return;
    sessionStorage.setItem("test.signed-in", "yes");
    sessionStorage.setItem("trunkline.credential", text);
  }, key);
  await page.goto(`${server.url}/console${path}`);
}

test("a page that is open says since when it is old, keeps its figures, and comes back by itself", async ({ context, faults }) => {
  faults.expect(refused);
  await withServer(async (server) => {
    const operators = await context.newPage();
    await visit(operators, server, "/operators", server.adminKey);
    const row = operators.getByRole("row").filter({ hasText: "Nordlink Transit" });
    await expect(row.getByText("Bound", { exact: true })).toBeVisible();
    await expect(live(operators)).toBeVisible();
    const before = await top(operators);

    await server.kill();
    await expect(notLive(operators)).toBeVisible({ timeout: patience });
    await expect(banner(operators)).toBeVisible({ timeout: patience });
    await expect(row.getByText("Bound", { exact: true })).toBeVisible();
    // Nothing has moved, and the line stands clear of the title.
    expect((await top(operators)).top).toBe(before.top);
    const line = await banner(operators).boundingBox();
    expect((line?.y ?? 0) + (line?.height ?? 0)).toBeLessThanOrEqual(before.top - 4);
    await expect(operators.getByText("Figures are from")).toHaveCount(1);

    await server.restart();
    await expect(live(operators)).toBeVisible({ timeout: patience });
    await expect(banner(operators)).toHaveCount(0);

    // It follows again: what is made now is seen.
    await server.api().operators.createOperator({
      operator: { name: "Made After", host: "after.example", port: 2775, systemId: "after", tpsLimit: { maxTps: 10 } },
    });
    await expect(operators.getByRole("row").filter({ hasText: "Made After" })).toBeVisible({ timeout: patience });
  });
});

test("what somebody does meanwhile is told as not done, is kept, and goes through afterwards", async ({ page, faults }) => {
  faults.expect(refused);
  await withServer(async (server) => {
    await visit(page, server, "/access?new=1", server.adminKey);
    const drawer = page.getByRole("dialog", { name: "New account" });
    await drawer.getByLabel("Name").fill("Typed in the dark");
    await server.kill();
    await drawer.getByRole("button", { name: /^(Create|Make)/ }).click();
    await expect(drawer.getByRole("alert")).toContainText("The server cannot be reached. Check the network, then try again.", { timeout: patience });
    await expect(drawer.getByLabel("Name")).toHaveValue("Typed in the dark");

    await server.restart();
    await drawer.getByRole("button", { name: /^(Create|Make)/ }).click();
    await expect(drawer).toBeHidden();
    const { accounts } = await server.api().accounts.listAccounts({ search: "Typed in the dark" });
    expect(accounts).toHaveLength(1);
  });
});

test("a page that is opened meanwhile says so and offers to try again", async ({ page, faults }) => {
  faults.expect(refused);
  await withServer(async (server) => {
    await visit(page, server, "/rules", server.adminKey);
    await expect(page.getByRole("grid", { name: "Rules" }).getByRole("row").nth(1)).toBeVisible();
    // Its script is loaded by then, as after a look at it before.
    await page.getByRole("link", { name: "Health" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Health" })).toBeVisible();
    await page.getByRole("link", { name: "Rules" }).click();
    await expect(page.getByRole("grid", { name: "Rules" })).toBeVisible();

    await server.kill();
    await page.getByRole("searchbox", { name: /Search/ }).first().fill("something else");
    const failed = page.getByRole("alert").filter({ hasText: "The server cannot be reached" });
    await expect(failed).toBeVisible({ timeout: patience });
    await server.restart();
    await failed.getByRole("button", { name: "Try again" }).click();
    await expect(page.getByText("No rule matches")).toBeVisible({ timeout: patience });
  });
});

test("whose key is revoked signs in again and is back where it was", async ({ page, faults, context }) => {
  faults.expect(/401/);
  await withServer(async (server) => {
    const api = server.api();
    const { apiKey, text } = await api.keys.createApiKey({ name: "short lived", role: 1 });
    await visit(page, server, "/operators?q=nord&status=active", text);
    await expect(page.getByRole("row").filter({ hasText: "Nordlink Transit" })).toBeVisible();
    await api.keys.revokeApiKey({ keyId: apiKey?.keyId ?? "" });
    await page.getByRole("searchbox", { name: "Search operators" }).fill("nordlink");

    await expect(page.getByText("The server no longer takes the credential of", { exact: false })).toBeVisible({ timeout: patience });
    await expect(page).toHaveURL(/\/operators\?q=nord/);
    await page.getByRole("textbox", { name: "API key or token", exact: true }).fill("tl_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByText("Not signed in.", { exact: false })).toBeVisible();
    await page.getByRole("textbox", { name: "API key or token", exact: true }).fill(await server.key("viewer"));
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("row").filter({ hasText: "Nordlink Transit" })).toBeVisible();
    await expect(page).toHaveURL(/\/operators\?q=nord.*status=active/);

    // Another tab knows nothing of the new key.
    const other = await context.newPage();
    await other.goto(`${server.url}/console/operators`);
    await expect(other.getByRole("textbox", { name: "API key or token", exact: true })).toBeVisible();
  });
});

test("a page that was not opened before waits for the server, and comes by itself", async ({ page, faults }) => {
  faults.expect(refused);
  faults.expect(/system-[^/]*\.(js|css)|could not be loaded|Unable to preload/);
  await withServer(async (server) => {
    // Not fetched ahead either.
    await page.route(/\/assets\/system-/, (route) => route.abort());
    await visit(page, server, "/operators", server.adminKey);
    await expect(live(page)).toBeVisible();
    await server.kill();
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "System" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "This page is not loaded yet" })).toBeVisible();
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Operators" }).click();
    await expect(page.getByRole("row").filter({ hasText: "Nordlink Transit" })).toBeVisible();
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "System" }).click();
    await page.unroute(/\/assets\/system-/);
    await server.restart();
    await expect(page.getByRole("heading", { level: 1, name: "System" })).toBeVisible({ timeout: patience });
  });
});

test("pages are fetched ahead, so that they open without the server", async ({ page, faults }) => {
  faults.expect(refused);
  await withServer(async (server) => {
    const fetched = page.waitForResponse(/\/assets\/system-[^/]*\.js/, { timeout: patience });
    await visit(page, server, "/operators", server.adminKey);
    await (await fetched).finished();
    await server.kill();
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "System" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "System" })).toBeVisible();
  });
});
