import { expect, test } from "./fixtures.js";
import type { Page } from "@playwright/test";

// A telephone, held upright, without a mouse.
test.use({ own: { table: "release" }, viewport: { width: 390, height: 844 }, hasTouch: true });

/** Opens the navigation and follows a link of it, which closes it again. */
async function follow(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "Open the navigation" }).tap();
  const link = page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name });
  await link.tap();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(link).not.toBeInViewport();
}

/** Whole and reachable: nothing hangs out at the side. */
async function expectFits(page: Page): Promise<void> {
  await expect.poll(() => page.evaluate(() => document.scrollingElement?.scrollWidth)).toBeLessThanOrEqual(390);
}

test("a thumb goes from page to page, to an operator and to its suspension", async ({ open }) => {
  const page = await open("/", { as: "operator" });
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByRole("link", { name: "Operators", exact: true }).first()).not.toBeInViewport();
  await follow(page, "Health");
  await follow(page, "Operators");

  const row = page.getByRole("grid", { name: "Operators" }).getByRole("row").filter({ hasText: "Nordlink Transit" });
  // What has no column is in the second line.
  await expect(row).toContainText("Active");
  await expect(row).toContainText(":2775");
  await expectFits(page);
  await row.tap();
  await expect(page.getByRole("heading", { level: 1, name: "Nordlink Transit" })).toBeVisible();
  await page.getByRole("tab", { name: "Rules" }).tap();
  await expect(page).toHaveURL(/tab=rules/);
  await page.getByRole("tab", { name: "Overview" }).tap();
  await expectFits(page);

  await page.getByRole("button", { name: "Suspend…" }).tap();
  const dialog = page.getByRole("dialog", { name: "Suspend Nordlink Transit?" });
  await expect(dialog.getByRole("button", { name: "Suspend" })).toBeVisible();
  await expectFits(page);
  await dialog.getByRole("button", { name: "Cancel" }).tap();
  await expect(dialog).toBeHidden();
});

test("the route of a number is read without scrolling sideways", async ({ open }) => {
  const page = await open("/explore");
  await page.getByLabel("Number").fill("+447911123456");
  const answer = page.getByRole("region", { name: "Answer" });
  await expect(answer.getByText("Price per segment")).toBeVisible();
  await expectFits(page);
  const reason = page.getByRole("region", { name: "How it came about" }).getByRole("cell").first();
  await reason.scrollIntoViewIfNeeded();
  await expect(reason).toBeInViewport({ ratio: 1 });
  await expectFits(page);
});

test("a release is published in the palm of a hand", async ({ open, server }) => {
  let releaseId = "";
  for await (const { step } of server.api().releases.createRelease({ description: "from the street" })) {
    if (step.case === "result") releaseId = step.value.release?.releaseId ?? "";
  }
  const page = await open("/releases");
  await page.getByRole("grid", { name: "Releases" }).getByRole("row").filter({ hasText: "from the street" }).tap();
  await expect(page).toHaveURL(new RegExp(releaseId));
  await page.getByRole("button", { name: "Publish", exact: true }).tap();
  const dialog = page.getByRole("dialog", { name: /^Publish release \d+$/ });
  await expect(dialog.getByText(/is in force at once/)).toBeVisible();
  await expectFits(page);
  await dialog.getByLabel("Reason").fill("on call");
  await dialog.getByRole("button", { name: "Publish now" }).tap();
  await expect(page.getByText("the engine serves it")).toBeVisible();
  await expectFits(page);
});

test("the palette and the caller's menu are within reach", async ({ open }) => {
  const page = await open("/health", { as: "viewer" });
  await page.getByRole("button", { name: "Find or do" }).tap();
  await page.getByRole("textbox", { name: "Find or do" }).fill("Andes");
  await page.getByRole("button", { name: /Andes Signal/ }).or(page.getByRole("option", { name: /Andes Signal/ })).tap();
  await expect(page.getByRole("heading", { level: 1, name: "Andes Signal" })).toBeVisible();
  await page.getByRole("button", { name: "Who is signed in" }).tap();
  await page.getByRole("menuitem", { name: "Sign out" }).tap();
  await expect(page.getByRole("textbox", { name: "API key or token", exact: true })).toBeVisible();
  await expectFits(page);
});
