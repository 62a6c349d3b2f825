import { expect, test } from "./fixtures.js";

// Accounts and keys of these tests have names of their own, so that a shared server does not mind them.
const nasty = '<img src=x onerror="document.title=1"><script>document.title=1</script>';

test("an account is made, changed against somebody else, and deleted with its keys", async ({ open, server }) => {
  const page = await open("/access?new=1");
  const drawer = page.getByRole("dialog");
  await drawer.getByLabel("Name").fill("Acme of the access test");
  await drawer.getByLabel("Notes").fill(nasty);
  await drawer.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("dialog", { name: "Acme of the access test" }).getByText(nasty)).toBeVisible();
  const accountId = new URL(page.url()).searchParams.get("account") ?? "";

  await page.getByRole("dialog").getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("Notes").fill("Mine");
  await server.api().accounts.updateAccount({ account: { accountId, notes: "Theirs" }, updateMask: { paths: ["notes"] } });
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByRole("radio", { name: "Notes: take yours" }).check();
  await page.getByRole("button", { name: "Save the merged version" }).click();
  await expect(page.getByRole("button", { name: "Edit" })).toBeVisible();
  expect((await server.api().accounts.getAccount({ accountId })).account?.notes).toBe("Mine");

  await server.api().makeKey("viewer", accountId);
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const question = page.getByRole("dialog", { name: "Delete Acme of the access test?" });
  await expect(question.getByText("1 key is revoked.")).toBeVisible();
  await expect(question.getByRole("button", { name: "Delete account" })).toBeDisabled();
  await question.getByRole("textbox").fill("Acme of the access test");
  await question.getByRole("button", { name: "Delete account" }).click();
  await expect(page.getByText("1 key revoked with it", { exact: false })).toBeVisible();
  await expect(server.api().accounts.getAccount({ accountId })).rejects.toThrow();
});

test("the text of a key is shown once, works, and is nowhere afterwards", async ({ open, server }) => {
  const page = await open("/access?tab=keys&new=1");
  await page.getByRole("dialog").getByLabel("Name").fill("once of the access test");
  await page.getByRole("button", { name: "Create key" }).click();
  const dialog = page.getByRole("dialog", { name: "The key once of the access test" });
  const text = await dialog.getByLabel("Text of the key").innerText();
  expect(text).toMatch(/^tl_[0-9A-Za-z]{71}$/);
  await server.api(text).operators.listOperators({});
  await page.keyboard.press("Escape");
  await page.mouse.click(5, 5);
  await expect(dialog).toBeVisible();

  await dialog.getByRole("button", { name: "I have kept it" }).click();
  await expect(dialog).toBeHidden();
  const left = await page.evaluate(() => document.documentElement.outerHTML + location.href + JSON.stringify({ ...localStorage, ...sessionStorage }));
  expect(left).not.toContain(text);
});

test("a key is rotated with an overlap, then revoked", async ({ open, server }) => {
  const { apiKey, text: former } = await server.api().keys.createApiKey({ name: "rotated of the access test", role: 1 });
  const page = await open(`/access?tab=keys&key=${apiKey?.keyId ?? ""}`);
  await page.getByRole("button", { name: "Rotate" }).click();
  await page.getByRole("dialog", { name: /^Rotate/ }).getByRole("button", { name: "Rotate" }).click();
  const next = await page.getByLabel("Text of the key").innerText();
  await page.getByRole("button", { name: "I have kept it" }).click();
  await server.api(next).operators.listOperators({});
  await server.api(former).operators.listOperators({});

  await page.getByRole("button", { name: "Revoke" }).click();
  const question = page.getByRole("dialog", { name: /^Revoke/ });
  await expect(question.getByText(/within 2 s/)).toBeVisible();
  await question.getByRole("button", { name: "Revoke key" }).click();
  await expect.poll(() => server.api(former).operators.listOperators({}).then(() => "taken", () => "refused")).toBe("refused");
});

test("who revokes the key in hand is warned, and has to type its name", async ({ open, server }) => {
  const { apiKey, text } = await server.api().keys.createApiKey({ name: "own of the access test", role: 3 });
  const page = await open(`/access?tab=keys&key=${apiKey?.keyId ?? ""}&do=revoke`, { key: text });
  const question = page.getByRole("dialog", { name: /^Revoke/ });
  await expect(question.getByText(/You are signed in with this key/)).toBeVisible();
  await expect(question.getByRole("button", { name: "Revoke key" })).toBeDisabled();
});

test("a viewer sees accounts and roles, and no keys", async ({ open }) => {
  const page = await open("/access", { as: "viewer" });
  await expect(page.getByRole("tab")).toHaveText(["Accounts", "Roles"]);
  await expect(page.getByRole("button", { name: "New account" })).toHaveCount(0);
  await page.goto(page.url().replace(/\/access.*/, "/access?tab=keys"));
  await expect(page.getByText("Only an admin may see this", { exact: false })).toBeVisible();
  await page.getByRole("tab", { name: "Roles" }).click();
  const row = page.getByRole("table", { name: "Calls by role" }).getByRole("row", { name: /^List audit rows/ });
  await expect(row.getByText("may", { exact: true })).toHaveCount(1);
});
