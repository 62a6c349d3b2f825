import type { Locator, Page } from "@playwright/test";
import { expect, test } from "./fixtures.js";

// No mouse: all is done by page.keyboard.
test.use({ own: { table: "release" } });

/** More stops than any page has before what is looked for. */
const most = 120;

/** Where the focus is, in words; "" when nobody could tell. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const at = document.activeElement;
    if (at === null || at === document.body) return "";
    const text = at.getAttribute("aria-label") ?? at.textContent.trim();
    return `${at.tagName.toLowerCase()} ${text.slice(0, 60)}`;
  });
}

/** The focus is on something that is there to be seen. */
async function expectFocus(page: Page): Promise<void> {
  await expect.poll(() => focused(page), { message: "where the focus is" }).not.toBe("");
  const seen = () => page.evaluate(() => {
    const box = document.activeElement?.getBoundingClientRect();
    return box !== undefined && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  });
  await expect.poll(seen, { message: "whether the focus is on the screen" }).toBe(true);
}

async function press(page: Page, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
  await expectFocus(page);
}

/** Goes on by Tab, or back by Shift+Tab, until the focus is there. Each stop on the way can be seen. */
async function tabTo(page: Page, target: Locator, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
  await expect(target).toBeVisible();
  const there = () => target.evaluate((element) => element === document.activeElement);
  const stops: string[] = [];
  while (!(await there())) {
    await page.keyboard.press(key);
    const stop = await page.evaluate(() => {
      const at = document.activeElement;
      // The end of the page: from there the focus goes through the browser's own buttons to its beginning.
      if (at === null || at === document.body) return "";
      return at.matches(":focus-visible, :focus-within") ? at.tagName : "hidden focus";
    });
    expect(stop, "a stop of the focus that cannot be seen").not.toBe("hidden focus");
    stops.push(await focused(page));
    expect(stops.length, `not reached by ${key}: ${stops.slice(-20).join(" | ")}`).toBeLessThan(most);
  }
  await expectFocus(page);
}

async function fill(page: Page, field: Locator, text: string): Promise<void> {
  await tabTo(page, field);
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type(text);
  await expect(field).toHaveValue(text);
}

/** Chooses in a list that opens below a field. */
async function choose(page: Page, field: Locator, text: string): Promise<void> {
  await tabTo(page, field);
  await page.keyboard.type(text);
  await expect(page.getByRole("option", { name: text })).toBeVisible();
  await press(page, "ArrowDown", "Enter");
  await expect(field).toHaveValue(text);
}

async function enter(page: Page, target: Locator): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press("Enter");
}

/** Two keys that lead to a page, whose title has the focus then. */
async function goTo(page: Page, key: string, title: string): Promise<void> {
  await page.keyboard.press("g");
  await page.keyboard.press(key);
  await expect(page.getByRole("heading", { level: 1, name: title })).toBeFocused();
}

test("an operator is made, routed and put in force", async ({ open, server }) => {
  test.setTimeout(240_000);
  const page = await open("/operators", { as: "nobody" });
  await expect(page.getByRole("textbox", { name: "API key or token", exact: true })).toBeFocused();
  await page.keyboard.type(server.adminKey);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Operators" })).toBeVisible();

  await test.step("the palette opens the form of a new operator", async () => {
    await page.keyboard.press("ControlOrMeta+K");
    const find = page.getByRole("textbox", { name: "Find or do" });
    await expect(find).toBeFocused();
    await page.keyboard.type("new operator");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    const drawer = page.getByRole("dialog", { name: "New operator" });
    await expect(drawer.getByLabel("Name")).toBeFocused();
    await page.keyboard.type("Keys Only");
    await fill(page, drawer.getByLabel("Host"), "keys.example");
    await fill(page, drawer.getByLabel("Port"), "2776");
    await fill(page, drawer.getByLabel("system_id"), "keys");
    await fill(page, drawer.getByLabel("TPS limit"), "20");
    await fill(page, drawer.getByLabel("Password", { exact: true }), "geheim1");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { level: 1, name: "Keys Only" })).toBeVisible();
    await enter(page, page.getByRole("note").getByRole("button", { name: "Activate" }));
    await expect(page.getByText("Keys Only is active.")).toBeVisible();
    await expectFocus(page);
  });

  await test.step("a rule with a conflict is refused, and mended", async () => {
    await goTo(page, "r", "Rules");
    await press(page, "n");
    const editor = page.getByRole("dialog", { name: "New rule" });
    await expect(editor.getByLabel("Prefix")).toBeFocused();
    await page.keyboard.type("+8832");
    await tabTo(page, editor.getByRole("radio", { name: "Priority", exact: true }));
    while (!(await editor.getByRole("radio", { name: "Cost" }).isChecked())) await press(page, "ArrowRight");
    await choose(page, editor.getByRole("combobox", { name: "Operator of candidate 1" }), "Keys Only");
    await enter(page, editor.getByRole("button", { name: "Create rule" }));
    await expect(editor.getByRole("alert").filter({ hasText: "RULE_CONFLICT" })).toBeVisible();
    await expectFocus(page);
    await fill(page, editor.getByLabel("Price of candidate 1"), "0.0200");
    await page.keyboard.press("Enter");
    await expect(page.getByText("The rule for +8832 is stored.")).toBeVisible();
    await expectFocus(page);
  });

  await test.step("a release is made and published", async () => {
    await goTo(page, "l", "Releases");
    await press(page, "n");
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByLabel("Description")).toBeFocused();
    await page.keyboard.type("by keys");
    await enter(page, dialog.getByRole("button", { name: "Make the draft" }));
    await enter(page, dialog.getByRole("button", { name: /^Open release/ }));
    await enter(page, page.getByRole("button", { name: "Publish", exact: true }));
    await expect(dialog.getByText(/is in force at once/)).toBeVisible();
    await enter(page, dialog.getByRole("button", { name: "Publish now" }));
    await expect(page.getByText("the engine serves it")).toBeVisible({ timeout: 30_000 });
    await expectFocus(page);
  });

  await test.step("the explorer shows it", async () => {
    await page.keyboard.press("g");
    await page.keyboard.press("e");
    // Who comes here has a number to type.
    await expect(page.getByLabel("Number", { exact: true })).toBeFocused();
    await page.keyboard.type("+88321234567");
    await expect(page.getByRole("region", { name: "Answer" })).toContainText("Keys Only");
    await expectFocus(page);
  });
});

test("a table is walked by arrows, and the focus comes back from what was opened", async ({ open }) => {
  const page = await open("/rules");
  const rows = page.getByRole("grid", { name: "Rules" }).getByRole("row");
  await tabTo(page, rows.nth(1));
  await press(page, "ArrowDown", "ArrowDown");
  await expect(rows.nth(3)).toBeFocused();
  await press(page, "End");
  await press(page, "Home");
  await expect(rows.nth(1)).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  const drawer = page.getByRole("dialog");
  await expect(drawer).toBeVisible();
  const within = () => drawer.evaluate((element) => element.contains(document.activeElement));
  await expect.poll(within).toBe(true);

  // A dialog keeps the focus: all the way round and back.
  for (let stop = 0; stop < 60; stop++) {
    await page.keyboard.press("Tab");
    await expect.poll(within).toBe(true);
  }
  await page.keyboard.press("Escape");
  await expect(drawer).toBeHidden();
  await expect(rows.nth(2)).toBeFocused();

  const opener = page.getByRole("button", { name: "New rule" });
  await tabTo(page, opener, "Shift+Tab");
  await page.keyboard.press("Enter");
  await expect(drawer.getByLabel("Prefix")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(drawer).toBeHidden();
  await expect(opener).toBeFocused();
});

test("keys are listed, lead everywhere, and rest while one types", async ({ open }) => {
  const page = await open("/health");
  await expect(page.getByRole("heading", { level: 1, name: "Health" })).toBeVisible();
  await page.keyboard.press("?");
  const list = page.getByRole("dialog", { name: "Keys" });
  await expect(list.getByText("Route explorer")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(list).toBeHidden();

  const places = [["o", "Overview"], ["p", "Operators"], ["t", "Rates"], ["d", "Decisions"], ["a", "Access"], ["u", "Audit"], ["s", "System"], ["h", "Health"], ["r", "Rules"]] as const;
  for (const [key, title] of places) await goTo(page, key, title);

  await press(page, "/");
  await page.keyboard.type("g?n");
  await expect(page.getByRole("searchbox").first()).toHaveValue("g?n");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("searchbox").first()).toHaveValue("");
});

// Every page is left by Tab: nothing but a dialog keeps the focus.
for (const path of ["/", "/operators", "/rules", "/explore#to=+447911123456", "/releases", "/health", "/decisions", "/audit", "/system"]) {
  test(`Tab goes round ${path}`, async ({ open }) => {
    const page = await open(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.locator(".mantine-Skeleton-root, .mantine-Loader-root, [aria-busy=true]")).toHaveCount(0);
    const skip = page.getByRole("link", { name: "Skip to the content" });
    await page.keyboard.press("Tab");
    await expect(skip).toBeFocused();
    await expect(skip).toBeInViewport();
    await page.keyboard.press("Tab");
    await tabTo(page, skip);
  });
}
