import { MessageType } from "@gen/routing/v1/types_pb.js";
import type { Page } from "@playwright/test";
import { expect, expectAccessible, routes, test } from "./fixtures.js";
import { pathOf } from "./routes.js";

// Every page in both schemes and three widths: what holds for all of them. Nothing changes in between.
test.use({ own: { table: "release" } });
// The longest file: both workers take of it.
test.describe.configure({ mode: "parallel" });

/** Width and height of windows, in pixels: the usual one last, because a page is looked at in it first. */
const windows = [[390, 844], [2560, 1440], [1280, 800]] as const;

// Something of everything, so that each address leads somewhere.
test.beforeAll(async ({ shared }) => {
  const api = shared.api();
  const { account } = await api.accounts.createAccount({ account: { name: "Acme" } });
  for await (const { step } of api.releases.createRelease({ description: "to look at" })) if (step.case === "result") break;
  await api.routing.selectOperator({ to: "+447911123456", accountId: account?.accountId ?? "", messageType: MessageType.SMS });
  await expect.poll(async () => (await api.decisions.listDecisions({ pageSize: 1 })).decisions.length).toBe(1);
});

for (const route of routes) {
  test(`${route.name} keeps people in, keeps still and fits`, async ({ open, server, context }) => {
    const page = await context.newPage();
    await watchShifts(page);
    await open(await pathOf(route, server.api()), { page });
    await expectLoaded(page, route.dialog ?? false);

    // 0.1 is where a page is no longer called calm.
    expect(await page.evaluate(() => Math.round(window.shifted * 1000) / 1000), "how far things moved while it loaded").toBeLessThan(0.1);
    await expect(page).toHaveTitle(/^[^·]+ · Trunkline$/);
    await expectAccessible(page);
    for (const [width, height] of windows) {
      await page.setViewportSize({ width, height });
      await expect.poll(() => tooWide(page), { message: `what is wider than a window of ${String(width)} px` }).toEqual([]);
    }
  });
}

/** It says what it is, and all that it shows is there. */
async function expectLoaded(page: Page, dialog: boolean): Promise<void> {
  // Below a dialog the page is hidden from people who listen to it.
  await expect(page.getByRole("heading", { level: 1, includeHidden: true })).toHaveCount(1);
  if (dialog) await expect(page.getByRole("dialog")).toBeVisible();
  await expect(page.locator(".mantine-Skeleton-root, .mantine-Loader-root, [aria-busy=true]")).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Try again" })).toHaveCount(0);
}

declare global {
  interface Window {
    shifted: number;
  }
}

async function watchShifts(page: Page): Promise<void> {
  await page.addInitScript(() => {
    window.shifted = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number })[]) window.shifted += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
}

/** What makes the page scroll sideways; nothing when it does not. */
function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const root = document.scrollingElement;
    if (root === null || root.scrollWidth <= innerWidth) return [];
    const wide = [...document.body.querySelectorAll("*")].filter((element) => element.getBoundingClientRect().right > innerWidth + 1);
    return [`the page: ${String(root.scrollWidth)} px`, ...wide.slice(0, 5).map((element) => `${element.tagName.toLowerCase()}.${element.className.toString()}`)];
  });
}
