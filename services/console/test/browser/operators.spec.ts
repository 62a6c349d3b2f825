import { OperatorStatus } from "@gen/operators/v1/operator_pb.js";
import { OnExhausted, RoutingStrategy } from "@gen/routing/v1/types_pb.js";
import type { Page } from "@playwright/test";
import { type Api } from "./api.js";
import { expect, sayHealth, test } from "./fixtures.js";

// These tests change operators, which others look at.
test.use({ own: { demo: true } });
test.describe.configure({ timeout: 180_000 });

/** The first page of a browser reads and runs the whole bundle, which takes its time on a loaded machine. */
const firstPage = { timeout: 60_000 };

/** An ACTIVE operator of the test's own. */
async function activeOperator(api: Api, name: string): Promise<string> {
  const { operator } = await api.operators.createOperator({
    operator: { name, host: `${name.toLowerCase().replaceAll(" ", "-")}.example`, port: 2775, systemId: "tl", tpsLimit: { maxTps: 50 } },
    password: "geheim1",
  });
  const operatorId = operator?.operatorId ?? "";
  await api.operators.activateOperator({ operatorId });
  return operatorId;
}

function row(page: Page, name: string) {
  return page.getByRole("row").filter({ hasText: name });
}

test("an operator is made, refused while its name is taken, and activated", async ({ open, server }) => {
  const page = await open("/operators", { as: "operator" });
  await expect(page.getByRole("button", { name: "New operator" })).toBeVisible(firstPage);
  await page.keyboard.press("n");
  const drawer = page.getByRole("dialog", { name: "New operator" });
  await drawer.getByLabel("Name").fill("Nordlink Transit");
  await drawer.getByLabel("Host").fill("smpp://x");
  await drawer.getByLabel("Port").click();
  await expect(drawer.getByText("Without a scheme such as smpp://.")).toBeVisible();
  await drawer.getByLabel("Host").fill("smpp.made.example");
  await expect(drawer.getByText("Without a scheme such as smpp://.")).toBeHidden();
  await drawer.getByLabel("system_id").fill("made");
  await drawer.getByLabel("TPS limit").fill("40");
  await drawer.getByLabel("Password", { exact: true }).fill("123456789");
  await expect(drawer.getByText("SMPP 3.4 allows 8 characters.", { exact: false })).toBeVisible();
  // The check by the server tells before anything is sent.
  await expect(drawer.getByText("There is a live operator of this name.", { exact: false })).toBeVisible();
  await drawer.getByLabel("Name").fill("Made Here");
  await expect(drawer.getByText("The server would take this.")).toBeVisible();
  await drawer.getByRole("button", { name: "Create operator" }).click();

  await expect(page.getByRole("heading", { level: 1, name: "Made Here" })).toBeVisible();
  await expect(page).toHaveURL(/\/operators\/[0-9a-f-]{36}$/);
  await page.getByRole("note").getByRole("button", { name: "Activate" }).click();
  await expect(page.getByText("Made Here is active.")).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("Undone.")).toBeVisible();
  const { operators } = await server.api().operators.listOperators({ search: "Made Here" });
  expect(operators[0]?.status).toBe(OperatorStatus.INACTIVE);
});

test("suspending shows who takes over, asks, and can be undone", async ({ open, server }) => {
  const api = server.api();
  const first = await activeOperator(api, "Preview One");
  const second = await activeOperator(api, "Preview Two");
  const rule = { strategy: RoutingStrategy.PRIORITY, onExhausted: OnExhausted.FAIL, active: true };
  await api.rules.createRoutingRule({ rule: { ...rule, prefix: "+88213", candidates: [{ operatorId: first, priority: 1 }, { operatorId: second, priority: 2 }] } });
  await api.rules.createRoutingRule({ rule: { ...rule, prefix: "+88216", candidates: [{ operatorId: first }] } });
  await sayHealth(server.natsUrl, first, "BOUND");
  await sayHealth(server.natsUrl, second, "BOUND");

  const page = await open(`/operators/${first}`, { as: "operator" });
  await expect(page.getByRole("heading", { level: 1, name: "Preview One" })).toBeVisible(firstPage);
  await page.getByRole("button", { name: "Suspend…" }).click();
  const dialog = page.getByRole("dialog", { name: "Suspend Preview One?" });
  await expect(dialog.getByText("Moves to Preview Two: 1 rule")).toBeVisible();
  await expect(dialog.getByText("No route: 1 rule")).toBeVisible();
  await expect(dialog.getByText("has no usable operator", { exact: false })).toBeVisible();
  await expect(dialog.getByRole("link", { name: /^\+88216/ }).first()).toHaveAttribute("href", /\/explore\?exclude=[0-9a-f-]{36}#\+88216\d+$/);
  await dialog.getByRole("button", { name: "Suspend" }).click();
  await expect(page.getByText("Preview One is suspended.")).toBeVisible();
  await expect(dialog).toBeHidden();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("Undone.")).toBeVisible();
  expect((await api.operators.getOperator({ operatorId: first })).operator?.status).toBe(OperatorStatus.ACTIVE);

  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  const last = page.getByRole("dialog", { name: "Delete Preview One?" });
  await expect(last.getByRole("button", { name: "Delete", exact: true })).toBeDisabled();
  await last.getByLabel("Type Preview One to go on").fill("Preview One");
  await last.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page.getByRole("note").getByText("It was deleted", { exact: false })).toBeVisible();
  await expect(page.getByRole("button", { name: "Edit" })).toBeHidden();
});

test("two who edit at once merge, and stored markup stays text", async ({ open, server }) => {
  const api = server.api();
  const operatorId = await activeOperator(api, "Merge Me");
  const page = await open(`/operators/${operatorId}?edit=1`, { as: "operator" });
  const drawer = page.getByRole("dialog", { name: "Edit Merge Me" });
  await drawer.getByLabel("TPS limit").fill("60");
  await drawer.getByLabel("Host").fill("other.example");
  const notes = '<script>alert(1)</script><img src=x onerror="alert(2)">';
  await api.operators.updateOperator({ operator: { operatorId, tpsLimit: { maxTps: 70 }, notes }, updateMask: { paths: ["tps_limit.max_tps", "notes"] } });
  await drawer.getByRole("button", { name: "Save changes" }).click();

  const merge = page.getByRole("dialog", { name: "Somebody else changed this meanwhile" });
  await merge.getByRole("radio", { name: "TPS limit: take yours" }).check();
  await merge.getByRole("button", { name: "Save the merged version" }).click();
  await expect(page.getByText("Merge Me was changed.")).toBeVisible();
  await expect(drawer).toBeHidden();
  await expect(page.getByText(notes)).toBeVisible();
  const { operator } = await api.operators.getOperator({ operatorId });
  expect([operator?.host, operator?.tpsLimit?.maxTps, operator?.notes]).toEqual(["other.example", 60, notes]);
});

test("the list is filtered by link and hears of a lost bind", async ({ open, server }) => {
  const operatorId = await activeOperator(server.api(), "Live One");
  const page = await open("/operators?q=live+one&status=active", { as: "viewer" });
  await expect(row(page, "Live One")).toBeVisible(firstPage);
  await expect(row(page, "Nordlink Transit")).toBeHidden();
  await expect(page.getByRole("button", { name: "New operator" })).toBeHidden();
  await sayHealth(server.natsUrl, operatorId, "UNBOUND");
  await expect(row(page, "Live One").getByText("Unbound")).toBeVisible();
  await row(page, "Live One").getByRole("link").click();
  await expect(page.getByRole("heading", { level: 1, name: "Live One" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Edit" })).toBeHidden();
  await page.goBack();
  await expect(page.getByRole("searchbox", { name: "Search operators" })).toHaveValue("live one");
});

test("a file is looked at before it is stored", async ({ open }) => {
  const page = await open("/operators?import=1", { as: "operator" });
  const drawer = page.getByRole("dialog", { name: "Import operators" });
  const header = "name,host,port,system_id,bind_type,max_tps,message_types,status";
  const choose = (lines: string) =>
    drawer.locator("input[type=file]").setInputFiles({ name: "operators.csv", mimeType: "text/csv", buffer: Buffer.from(`${header}\n${lines}\n`) });
  await choose("From File,file.example,99999,file,TRANSCEIVER,10,SMS,INACTIVE");
  await expect(drawer.getByRole("grid", { name: "Bad lines" }).getByText("must be a whole number from 1 to 65535")).toBeVisible();
  await expect(drawer.getByRole("button", { name: "Import" })).toBeDisabled();
  await drawer.getByRole("button", { name: /remove|clear/i }).click();
  await choose("From File,file.example,2775,file,TRANSCEIVER,10,SMS,INACTIVE");
  await expect(drawer.getByLabel("What the file changes").getByText("1", { exact: true })).toBeVisible();
  await drawer.getByRole("button", { name: "Import" }).click();
  await expect(drawer.getByText("The file is stored.", { exact: false })).toBeVisible();
  await drawer.getByRole("button", { name: "Close" }).last().click();
  await expect(row(page, "From File")).toBeVisible();

  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export" }).click();
  expect((await saving).suggestedFilename()).toBe("operators.csv");
});

test("a rotated password is asked about, and sent once", async ({ open, server }) => {
  const operatorId = await activeOperator(server.api(), "Rotate Me");
  const page = await open(`/operators/${operatorId}?tab=credentials`, { as: "operator" });
  await page.getByLabel("New password").fill("geheim-ä");
  await page.getByRole("button", { name: "Rotate…" }).click();
  await expect(page.getByText("Only printable ASCII characters.")).toBeVisible();
  await page.getByLabel("New password").fill("geheim2");
  await page.getByRole("button", { name: "Rotate…" }).click();
  const dialog = page.getByRole("dialog", { name: "Rotate the password of Rotate Me?" });
  await expect(dialog.getByText("bind their sessions anew", { exact: false })).toBeVisible();
  await dialog.getByRole("button", { name: "Rotate" }).click();
  await expect(page.getByText("Rotate Me has a new password.")).toBeVisible();
  await expect(page.getByLabel("New password")).toHaveValue("");
});

test("the list is sorted and chosen by quality, as a link says", async ({ open, server }) => {
  const id = await activeOperator(server.api(), "Ailing One");
  await sayHealth(server.natsUrl, id, "DEGRADED");
  const page = await open("/operators?quality=degraded", { as: "viewer" });
  await expect(row(page, "Ailing One")).toBeVisible(firstPage);
  await expect(row(page, "Nordlink Transit")).toHaveCount(0);
  await page.getByRole("group", { name: "Quality" }).getByText("Degraded").click();
  await expect(row(page, "Nordlink Transit")).toBeVisible();
  await page.getByRole("button", { name: "TPS" }).click();
  await page.getByRole("button", { name: "TPS" }).click();
  await expect(page).toHaveURL(/\?sort=-tps$/);
  await expect(page.getByRole("columnheader", { name: "TPS" })).toHaveAttribute("aria-sort", "descending");
  await expect(page.getByRole("grid", { name: "Operators" }).getByRole("row").nth(1)).toContainText("500");
  // A host gives way, its port does not.
  const cell = row(page, "Nordlink Transit").getByTitle("smpp.nordlink.example:2775").getByText(":2775");
  await expect(cell).toBeInViewport();
});

test("Back after Esc leaves the operator, not an empty step", async ({ open, server }) => {
  const id = await activeOperator(server.api(), "Back And Forth");
  const page = await open("/operators?q=back+and", { as: "operator" });
  await row(page, "Back And Forth").getByRole("link").click();
  await page.getByRole("button", { name: "Suspend…" }).click();
  const dialog = page.getByRole("dialog", { name: "Suspend Back And Forth?" });
  await expect(dialog).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`/operators/${id}\\?do=suspend$`));
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(page).toHaveURL(new RegExp(`/operators/${id}$`));
  await page.goBack();
  await expect(page).toHaveURL(/\/operators\?q=back\+and$/);
  await page.goForward();
  await expect(page.getByRole("heading", { level: 1, name: "Back And Forth" })).toBeVisible();
  await expect(dialog).toBeHidden();
});

test("a viewer who follows a link to a form is told who may", async ({ open }) => {
  const page = await open("/operators?new=1", { as: "viewer" });
  const note = page.getByRole("note");
  await expect(note).toContainText("takes the role operator; yours is viewer", firstPage);
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await note.getByRole("button", { name: "Close" }).click();
  await expect(note).toBeHidden();
  await expect(page).toHaveURL(/\/operators$/);
});
