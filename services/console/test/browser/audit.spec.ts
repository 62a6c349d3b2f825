import { readFile } from "node:fs/promises";
import { expect, test } from "./fixtures.js";

test("a row says what was changed, field by field, and leads to what it is about", async ({ open, server }) => {
  const api = server.api();
  const nasty = "<script>document.title=1</script>";
  const { account } = await api.accounts.createAccount({ account: { name: "Acme of the audit test", notes: "before" } });
  const accountId = account?.accountId ?? "";
  await api.accounts.updateAccount({ account: { accountId, notes: nasty }, updateMask: { paths: ["notes"] } });

  const page = await open(`/audit?entity=account&entity_id=${accountId}`);
  await page.getByRole("link", { name: "Account changed" }).click();
  await expect(page.getByRole("dialog", { name: "Account changed" }).getByText("account.update")).toBeVisible();
  const table = page.getByRole("table", { name: "Fields before and after" });
  await expect(table.getByRole("row", { name: /^notes/ })).toContainText("before");
  await expect(table.getByRole("row", { name: /^notes/ })).toContainText(nasty);
  await expect(table.getByRole("row", { name: /^name/ })).toHaveCount(0);

  // The link alone finds the row, whatever the filter.
  const row = new URL(page.url()).searchParams.get("row") ?? "";
  await page.goto(`${server.url}/console/audit?range=1h&actor=nobody&row=${row}`);
  await expect(table.getByRole("row", { name: /^notes/ })).toContainText(nasty);
  await page.getByRole("link", { name: "Open account" }).click();
  await expect(page.getByRole("dialog", { name: "Acme of the audit test" })).toBeVisible();
});

test("the chain is verified, and a head that is not in it is told", async ({ open }) => {
  const page = await open("/audit");
  await page.getByRole("button", { name: "Verify chain" }).click();
  await expect(page.getByText("Whole", { exact: true })).toBeVisible();
  await page.getByLabel("Head noted before").fill("ab".repeat(32));
  await page.getByRole("button", { name: "Verify chain" }).click();
  await expect(page.getByRole("alert")).toContainText("HEAD_MISSING");
  await expect(page.getByRole("alert")).toContainText("The end was cut off");
});

test("the filtered rows are exported", async ({ open, server }) => {
  await server.api().accounts.createAccount({ account: { name: "Exported of the audit test" } });
  const page = await open("/audit?action=account.create");
  await expect(page.getByRole("row", { name: /Account created/ }).first()).toBeVisible();
  await page.getByRole("button", { name: "Export" }).click();
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: "JSON lines" }).click()]);
  const lines = (await readFile(await file.path(), "utf8")).trimEnd().split("\n").map((line) => JSON.parse(line) as { action: string; after: string });
  expect(new Set(lines.map(({ action }) => action))).toEqual(new Set(["account.create"]));
  expect(lines.some(({ after }) => after.includes("Exported of the audit test"))).toBe(true);
});

test("who is no admin is told so", async ({ open }) => {
  const page = await open("/audit", { as: "operator" });
  await expect(page.getByText("Your role does not allow this")).toBeVisible();
});
