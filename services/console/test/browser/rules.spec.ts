import { readFile } from "node:fs/promises";
import type { Locator, Page } from "@playwright/test";
import { OnExhausted, RoutingStrategy } from "@gen/routing/v1/types_pb.js";
import { expect, type Server, test } from "./fixtures.js";

// They change rules.
test.use({ own: {} });

async function operatorId(server: Server, name: string): Promise<string> {
  const { operators } = await server.api().operators.listOperators({ search: name, pageSize: 10 });
  const found = operators.find((operator) => operator.name === name);
  if (found === undefined) throw new Error(`no operator ${name}`);
  return found.operatorId;
}

/** A rule by PRIORITY with two operators; each test has a prefix of its own. */
async function makeRule(server: Server, prefix: string, description = ""): Promise<string> {
  const { rule } = await server.api().rules.createRoutingRule({
    rule: {
      prefix,
      strategy: RoutingStrategy.PRIORITY,
      onExhausted: OnExhausted.FAIL,
      active: true,
      description,
      candidates: [
        { operatorId: await operatorId(server, "Nordlink Transit"), priority: 1 },
        { operatorId: await operatorId(server, "Meridian Carrier"), priority: 2 },
      ],
    },
  });
  return rule?.ruleId ?? "";
}

async function choose(page: Page, field: Locator, option: string): Promise<void> {
  await field.fill(option);
  await page.getByRole("option", { name: option }).click();
}

test("a conflict is told while a rule is typed, and the mended rule can be undone", async ({ open, server }) => {
  const page = await open("/rules?prefix=%2B9871");
  await expect(page.getByRole("heading", { level: 1, name: "Rules" })).toBeVisible();
  await page.keyboard.press("n");
  const editor = page.getByRole("dialog", { name: "New rule" });
  await expect(editor.getByLabel("Prefix")).toHaveValue("+9871");

  await editor.getByRole("radio", { name: "Cost" }).check();
  await choose(page, editor.getByRole("combobox", { name: "Operator of candidate 1" }), "Nordlink Transit");
  const conflicts = editor.getByRole("region", { name: "Conflicts" });
  await expect(conflicts.getByText("NO_RATE")).toBeVisible();
  await expect(editor.getByText("it would be refused")).toBeVisible();
  await expect(conflicts.getByRole("link", { name: /^Try \+9871\d+ in the route explorer$/ }).first()).toHaveAttribute("href", /\/explore#to=\+9871\d+$/);

  await editor.getByRole("button", { name: "Create rule" }).click();
  await expect(editor.getByRole("alert").filter({ hasText: "RULE_CONFLICT" })).toBeVisible();

  await editor.getByLabel("Price of candidate 1").fill("0.0625");
  await expect(conflicts.getByText("NO_RATE")).toBeHidden();
  await editor.getByRole("button", { name: "Create rule" }).click();
  await expect(page.getByText("The rule for +9871 is stored.")).toBeVisible();
  await expect(editor).toBeHidden();
  await expect(page.getByRole("row").filter({ hasText: "+9871" })).toContainText("Nordlink Transit");

  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("No rule matches")).toBeVisible();
  expect((await server.api().rules.listRoutingRules({ prefix: "+9871" })).rules).toEqual([]);
});

test("candidates change places by keyboard and by dragging, and an edit is undone", async ({ open, server }) => {
  const ruleId = await makeRule(server, "+9872");
  const page = await open(`/rules?prefix=%2B9872&rule=${ruleId}`);
  const editor = page.getByRole("dialog", { name: "Global rule for +9872" });
  const first = editor.getByRole("combobox", { name: "Operator of candidate 1" });
  await expect(first).toHaveValue("Nordlink Transit");

  await editor.getByRole("button", { name: "Move candidate 2 up" }).press("Enter");
  await expect(first).toHaveValue("Meridian Carrier");
  await expect(editor.getByRole("button", { name: "Move candidate 1 down" })).toBeFocused();
  const grips = editor.getByTitle("Drag to another place");
  await grips.nth(1).hover();
  await page.mouse.down();
  await grips.nth(0).hover();
  await page.mouse.up();
  await expect(first).toHaveValue("Nordlink Transit");
  await expect(editor.getByRole("button", { name: "Save" })).toBeDisabled();

  await editor.getByRole("button", { name: "Move candidate 1 down" }).click();
  await editor.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("row").filter({ hasText: "+9872" })).toContainText("Meridian Carrier, Nordlink Transit");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("row").filter({ hasText: "+9872" })).toContainText("Nordlink Transit, Meridian Carrier");
});

test("an edit that another came before is merged", async ({ open, server }) => {
  const ruleId = await makeRule(server, "+9873", "as it was");
  const page = await open(`/rules?rule=${ruleId}`);
  const editor = page.getByRole("dialog", { name: "Global rule for +9873" });
  await editor.getByLabel("Description").fill("mine");
  await editor.getByRole("radio", { name: "Fall through" }).check();
  await server.api().rules.updateRoutingRule({
    rule: { ruleId, description: "theirs", strategy: RoutingStrategy.FAILOVER },
    updateMask: { paths: ["description", "strategy"] },
  });

  await editor.getByRole("button", { name: "Save" }).click();
  const merge = page.getByRole("dialog", { name: "Somebody else changed this meanwhile" });
  await merge.getByRole("radio", { name: "Description: take yours" }).check();
  await merge.getByRole("button", { name: "Save the merged version" }).click();
  await expect(page.getByText("The rule for +9873 is saved.")).toBeVisible();
  const { rule } = await server.api().rules.getRoutingRule({ ruleId });
  expect(rule).toMatchObject({ description: "mine", strategy: RoutingStrategy.FAILOVER, onExhausted: OnExhausted.FALL_THROUGH });
});

test("operators that two people changed at once are merged one by one", async ({ open, server }) => {
  const ruleId = await makeRule(server, "+9877");
  const north = await operatorId(server, "Nordlink Transit");
  const south = await operatorId(server, "Meridian Carrier");
  const third = await operatorId(server, "Pacific Gate");
  const page = await open(`/rules?rule=${ruleId}`);
  const editor = page.getByRole("dialog", { name: "Global rule for +9877" });
  await editor.getByLabel("Price of candidate 1").fill("0.05");
  await editor.getByLabel("Price of candidate 2").fill("0.07");
  await server.api().rules.updateRoutingRule({
    rule: {
      ruleId,
      candidates: [
        { operatorId: north, priority: 1 },
        { operatorId: south, priority: 2, price: { currencyCode: "EUR", nanos: 90_000_000n } },
        { operatorId: third, priority: 3 },
      ],
    },
    updateMask: { paths: ["candidates"] },
  });

  await editor.getByRole("button", { name: "Save" }).click();
  const merge = page.getByRole("dialog", { name: "Somebody else changed this meanwhile" });
  await expect(merge.getByRole("group", { name: /^Pacific Gate only they changed it/ })).toContainText("not in the rule");
  await expect(merge.getByRole("group", { name: /^Nordlink Transit, price only you changed it/ })).toBeVisible();
  await merge.getByRole("radio", { name: "Meridian Carrier, price: take theirs" }).check();
  await merge.getByRole("button", { name: "Save the merged version" }).click();
  await expect(page.getByText("The rule for +9877 is saved.")).toBeVisible();
  const { rule } = await server.api().rules.getRoutingRule({ ruleId });
  expect(rule?.candidates.map(({ operatorName, price }) => [operatorName, price?.nanos])).toEqual([["Nordlink Transit", 50_000_000n], ["Meridian Carrier", 90_000_000n], ["Pacific Gate", undefined]]);
});

test("a rule that is there already is told once, with the way to it", async ({ open, server }) => {
  const ruleId = await makeRule(server, "+9878");
  const page = await open("/rules?new=1&prefix=%2B9878");
  const editor = page.getByRole("dialog", { name: "New rule" });
  await choose(page, editor.getByRole("combobox", { name: "Operator of candidate 1" }), "Nordlink Transit");
  await editor.getByRole("button", { name: "Create rule" }).click();
  const conflicts = editor.getByRole("region", { name: "Conflicts" });
  await expect(conflicts).toBeFocused();
  await expect(editor.getByText(/such a rule already/)).toHaveCount(1);
  await expect(editor.getByRole("alert")).toHaveCount(0);
  await expect(conflicts.getByRole("link", { name: "Rule for +9878" })).toHaveAttribute("href", new RegExp(`rule=${ruleId}`));
});

test("deleting says who answers then, and can be undone", async ({ open, server }) => {
  await makeRule(server, "+9874");
  const ruleId = await makeRule(server, "+98741", '<img src="x" onerror="alert(1)">');
  const page = await open(`/rules?prefix=%2B9874&rule=${ruleId}`);
  const editor = page.getByRole("dialog", { name: "Global rule for +98741" });
  // What is stored stays text.
  await expect(editor.getByLabel("Description")).toHaveValue('<img src="x" onerror="alert(1)">');
  await editor.getByRole("button", { name: "Delete rule" }).click();
  const question = page.getByRole("dialog", { name: "Delete the rule for +98741?" });
  await expect(question.getByText(/^\+98741\d+ goes to Nordlink Transit by this rule\.$/)).toBeVisible();
  await expect(question.getByText(/the global rule for \+9874 answers/)).toBeVisible();
  await question.getByRole("button", { name: "Delete rule" }).click();
  await expect(page.getByText("The rule for +98741 is deleted.")).toBeVisible();
  const row = page.getByRole("row").filter({ hasText: "+98741" });
  await expect(row).toBeHidden();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row).toBeVisible();
});

test("what is exported is imported back unchanged, and a file with bad lines is refused", async ({ open }, info) => {
  const page = await open("/rules");
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export all" }).click();
  const download = await saved;
  expect(download.suggestedFilename()).toBe("rules.csv");
  const path = info.outputPath("rules.csv");
  await download.saveAs(path);
  const text = await readFile(path, "utf8");

  await page.getByRole("link", { name: "Import" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Import rules" })).toBeVisible();
  const file = page.getByLabel("CSV file of rules");
  await file.setInputFiles(path);
  await expect(page.getByText("Every rule of the file is stored like this already.")).toBeVisible();

  const [head = "", ...lines] = text.split("\r\n");
  await file.setInputFiles({ name: "bad.csv", mimeType: "text/csv", buffer: Buffer.from(`${head}\r\n,+9875,GB,,COST,FAIL,Nobody,1,100,,\r\n`) });
  await expect(page.getByText("nothing of the file is stored")).toBeVisible();
  await expect(page.getByRole("grid", { name: "Bad lines" })).toContainText("Nobody");
  await expect(page.getByRole("button", { name: "Import", exact: true })).toBeHidden();

  const line = lines[0] ?? "";
  await file.setInputFiles({ name: "new.csv", mimeType: "text/csv", buffer: Buffer.from(`${head}\r\n${line.replace(/"\+\d+"/, '"+9875"')}\r\n`) });
  await expect(page.getByText("1 rule is made and 0 replaced")).toBeVisible();
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await expect(page.getByText("1 new rule, 0 replaced")).toBeVisible();
  await page.getByRole("link", { name: "Look at the rules" }).click();
  await page.getByLabel("Prefixes that begin with").fill("+9875");
  await expect(page.getByText("1 rule", { exact: true })).toBeVisible();
});

test("the check of all rules leads to witnesses and rules", async ({ open }) => {
  const page = await open("/rules/check?severity=warning");
  const findings = page.getByRole("grid", { name: "Findings" });
  const row = findings.getByRole("row").nth(1);
  await expect(row).toContainText("SHADOWED_RULE");
  await expect(row.getByRole("link", { name: /^Try \+\d+ in the route explorer$/ })).toHaveAttribute("href", /\/explore#to=\+\d+$/);
  await row.getByText("Warning").click();
  await expect(page.getByRole("dialog", { name: /rule for \+/ })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("dialog")).toBeHidden();
  await page.getByText("Conflicts", { exact: true }).click();
  await expect(page).toHaveURL(/severity=warning%2Cerror/);
});

test("a viewer reads, and whoever is bound to an account changes the rules of that account alone", async ({ open, server }) => {
  const { account } = await server.api().accounts.createAccount({ account: { name: "Bound" } });
  const key = await server.api().makeKey("operator", account?.accountId ?? "");
  const global = await makeRule(server, "+9876");

  const viewer = await open(`/rules?rule=${global}`, { as: "viewer" });
  const seen = viewer.getByRole("dialog", { name: "Global rule for +9876" });
  await expect(seen.getByRole("cell", { name: "Nordlink Transit" })).toBeVisible();
  await expect(seen.getByRole("button", { name: /Save|Delete/ })).toHaveCount(0);
  await viewer.goto(`${server.url}/console/rules/import`);
  await expect(viewer.getByText("Your role does not allow this")).toBeVisible();

  const bound = await open(`/rules?rule=${global}`, { key });
  await expect(bound.getByText("This rule is for every account.")).toBeVisible();
  await bound.goto(`${server.url}/console/rules?new=1&prefix=%2B9876`);
  const editor = bound.getByRole("dialog", { name: "New rule" });
  // It has no list of operators: those of the rules that it sees are offered.
  await choose(bound, editor.getByRole("combobox", { name: "Operator of candidate 1" }), "Meridian Carrier");
  await editor.getByRole("button", { name: "Create rule" }).click();
  await expect(bound.getByText("The rule for +9876 is stored.")).toBeVisible();
  await expect(bound.getByRole("row").filter({ hasText: "+9876" })).toHaveCount(2);
  await expect(bound.getByRole("link", { name: /Check all|Import/ })).toHaveCount(0);
  await expect(bound.getByText("you see the global rules and your own")).toBeVisible();
  for (const path of ["/rules/check", "/rules/import"]) {
    await bound.goto(`${server.url}/console${path}`);
    await expect(bound.getByText("Your key does not allow this")).toBeVisible();
  }
});
