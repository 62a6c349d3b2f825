import { MessageType, OnExhausted, RoutingStrategy } from "@gen/routing/v1/types_pb.js";
import type { Page } from "@playwright/test";
import { expect, type Server, test } from "./fixtures.js";

// What people type may hold anything. It is shown as they typed it, and nothing of it runs.
test.use({ own: { table: "release" } });

const script = "<script>window.ran=1</script>";
const image = '<img src=x onerror="window.ran=1">';
const svg = '"><svg onload=window.ran=1>';
/** Reads from right to left; the server refuses characters that turn the direction around them. */
const arabic = "شركة الاتصالات (عكس) 123";
const long = "w".repeat(100);

interface Stored {
  readonly operators: readonly { readonly id: string; readonly name: string }[];
  readonly rules: readonly { readonly id: string; readonly description: string }[];
  readonly releaseId: string;
  readonly accountId: string;
  readonly keyId: string;
  readonly decisionId: string;
}

let stored: Stored;

test.beforeAll(async ({ shared }) => {
  stored = await store(shared);
});

/** Puts such texts into every field that takes free text. */
async function store(server: Server): Promise<Stored> {
  const api = server.api();
  const operators: { id: string; name: string }[] = [];
  for (const [name, notes] of [[script, image], [image, svg], [svg, arabic], [arabic, long.repeat(3)], [long, script]] as const) {
    const { operator } = await api.operators.createOperator({
      operator: { name, notes, host: `${"h".repeat(60)}.example`, port: 2775 + operators.length, systemId: '"><b>x</b>', systemType: "<u>", tpsLimit: { maxTps: 10 } },
      password: "geheim1",
    });
    operators.push({ id: operator?.operatorId ?? "", name });
    await api.operators.activateOperator({ operatorId: operator?.operatorId ?? "" });
  }
  const rules: { id: string; description: string }[] = [];
  for (const [place, description] of [script, image, svg, arabic, long].entries()) {
    const { rule } = await api.rules.createRoutingRule({
      rule: {
        prefix: `+9879${String(place)}`, description, active: true, strategy: RoutingStrategy.PRIORITY, onExhausted: OnExhausted.FAIL,
        candidates: operators.map(({ id }, priority) => ({ operatorId: id, priority: priority + 1 })),
      },
    });
    rules.push({ id: rule?.ruleId ?? "", description });
  }
  const { account } = await api.accounts.createAccount({ account: { name: image, notes: `${script} ${svg} ${arabic} ${long}` } });
  await api.accounts.createAccount({ account: { name: long } });
  await api.accounts.createAccount({ account: { name: arabic } });
  const accountId = account?.accountId ?? "";
  await api.keys.createApiKey({ name: long, role: 1 });
  const { apiKey } = await api.keys.createApiKey({ name: svg, role: 1, accountId });

  let releaseId = "";
  for (const description of [`${script} ${long}`, `${image} ${svg} ${arabic}`]) {
    for await (const { step } of api.releases.createRelease({ description })) if (step.case === "result") releaseId = step.value.release?.releaseId ?? "";
  }
  await api.releases.publishRelease({ releaseId, reason: `${svg} ${image} ${long}` });
  const { decisionId } = await decision(server, accountId);
  return { operators, rules, releaseId, accountId, keyId: apiKey?.keyId ?? "", decisionId };
}

/** Decides by one of the rules above, once the engine serves them, and waits until the log has it. */
async function decision(server: Server, accountId: string): Promise<{ decisionId: string }> {
  const api = server.api();
  const choose = () => api.routing.selectOperator({ to: "+987901234567", accountId, messageType: MessageType.SMS });
  await expect.poll(() => choose().then(({ operatorName }) => operatorName, () => ""), { timeout: 30_000 }).toBe(script);
  let decisionId = "";
  await expect
    .poll(async () => (decisionId = (await api.decisions.listDecisions({ pageSize: 1 })).decisions[0]?.decisionId ?? ""), { timeout: 30_000 })
    .not.toBe("");
  return { decisionId };
}

/** Nothing ran, nothing became an element, and nothing pushes the page out of a telephone. */
async function expectHarmless(page: Page): Promise<void> {
  await expect(page.locator(".mantine-Skeleton-root, .mantine-Loader-root, [aria-busy=true]")).toHaveCount(0);
  expect(await page.evaluate(() => (window as { ran?: number }).ran)).toBeUndefined();
  await expect(page.locator('img[src="x"], svg[onload]')).toHaveCount(0);
  await expect(page.locator("script", { hasText: "ran" })).toHaveCount(0);
  await expect.poll(() => page.evaluate(() => document.scrollingElement?.scrollWidth)).toBeLessThanOrEqual(390);
}

/** Opens pages on a telephone; each shows its text as it was typed. */
async function expectTexts(page: Page, server: Server, places: readonly (readonly [path: string, text: string])[]): Promise<void> {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const [path, text] of places) {
    await page.goto(`${server.url}/console${path}`);
    const shown = page.getByText(text).or(page.getByRole("textbox").and(page.locator(`[value=${JSON.stringify(text)}]`)));
    await expect(shown.first(), `${path} shows ${text}`).toBeAttached();
    await expectHarmless(page);
  }
}

test("of operators", async ({ open, server }) => {
  const page = await open("/operators?q=zzz");
  await expectTexts(page, server, stored.operators.flatMap(({ id, name }) => [[`/operators?q=${encodeURIComponent(name.slice(0, 20))}`, name], [`/operators/${id}`, name]] as const));
  const [first] = stored.operators;
  if (first === undefined) throw new Error("no operator");
  await expectTexts(page, server, [
    [`/operators/${first.id}`, image],
    [`/operators/${first.id}?tab=rules`, "+98790"],
    [`/operators/${first.id}?edit=1`, image],
    [`/operators/${first.id}?do=suspend`, `Suspend ${script}?`],
    [`/health?q=${encodeURIComponent(script)}`, script],
    [`/health?operator=${first.id}`, script],
    [`/rates?operator=${first.id}`, "No price"],
  ]);
});

test("of rules and of what they decide", async ({ open, server }) => {
  const page = await open("/rules?q=zzz");
  await expectTexts(page, server, stored.rules.map(({ id, description }) => [`/rules?prefix=%2B9879&rule=${id}`, description]));
  await expectTexts(page, server, [
    ["/rules?prefix=%2B9879", "+98790"],
    ["/rules/check", "findings"],
    ["/explore#to=+987901234567", script],
    ["/decisions", script],
    [`/decisions?decision=${stored.decisionId}`, script],
    ["/", "Operators"],
  ]);
});

test("of releases", async ({ open, server }) => {
  const page = await open("/releases?q=zzz");
  await expectTexts(page, server, [
    ["/releases", image],
    [`/releases/${stored.releaseId}`, `${image} ${svg} ${arabic}`],
    [`/releases/${stored.releaseId}?tab=history`, long],
    ["/releases?rollback=former", "Go back to"],
  ]);
});

test("of accounts and keys, and in the audit log", async ({ open, server }) => {
  const page = await open("/access?q=zzz");
  await expectTexts(page, server, [
    ["/access", image],
    [`/access?q=${long}`, long],
    [`/access?account=${stored.accountId}`, script],
    [`/access?account=${stored.accountId}&edit=1`, image],
    ["/access?tab=keys", svg],
    [`/access?tab=keys&key=${stored.keyId}`, image],
    [`/explore?account=${stored.accountId}#to=+987901234567`, script],
  ]);
  const { rows } = await server.api().audit.listAuditRows({ filter: { entityId: stored.operators[0]?.id ?? "" }, pageSize: 1 });
  await expectTexts(page, server, [[`/audit?entity_id=${stored.accountId}`, "account"], [`/audit?row=${rows[0]?.auditId ?? ""}`, stored.operators[0]?.id ?? ""]]);
});

test("of files", async ({ open }) => {
  const page = await open(`/rates/import?operator=${stored.operators[0]?.id ?? ""}`);
  await page.setViewportSize({ width: 390, height: 844 });
  const file = (text: string) => ({ name: `${image}.csv`, mimeType: "text/csv", buffer: Buffer.from(text) });
  await page.getByLabel("Rate deck").setInputFiles(file(`prefix,price,currency,${image.replaceAll('"', "'")}\n${script},1,EUR,\n`));
  await expect(page.getByText(`${image}.csv`)).toBeVisible();
  await page.getByRole("radio", { name: "Changes only" }).check();
  await page.getByRole("button", { name: "Read the deck" }).click();
  await page.getByRole("combobox", { name: "MCC" }).click();
  await expect(page.getByRole("option", { name: image.replaceAll('"', "'") })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Look at the changes" }).click();
  await expect(page.getByRole("grid", { name: "Bad lines" }).getByRole("row")).toHaveCount(2);
  await expectHarmless(page);

  await open("/rules/import", { page });
  await page.locator("input[type=file]").setInputFiles(file(`${image}\n`));
  await expect(page.getByText(`${image}.csv`)).toBeVisible();
  await expectHarmless(page);
});

test("what is typed into a search is text in what is said about it", async ({ open, server }) => {
  const page = await open(`/operators?q=${encodeURIComponent(`${image}${svg}`)}`);
  await expect(page.getByRole("searchbox", { name: "Search operators" })).toHaveValue(`${image}${svg}`);
  await page.setViewportSize({ width: 390, height: 844 });
  await expect(page.getByText("No operator is like that")).toBeVisible();
  await expectHarmless(page);
  // Without a dot: what ends like a file is a file that is not there.
  const segment = encodeURIComponent('"><svg onload=alert(1)>');
  for (const path of [`/rules?q=${encodeURIComponent(script)}`, `/explore#to=${encodeURIComponent(image)}`, `/operators/${segment}`, `/releases/${segment}`, `/access?account=${encodeURIComponent(svg)}`, `/audit?actor=${segment}&entity_id=${segment}&action=${segment}`, `/decisions?account=${segment}`, `/health?q=${segment}`, `/rates?prefix=${segment}`]) {
    await page.goto(`${server.url}/console${path}`);
    await expect(page.getByRole("heading", { level: 1, includeHidden: true })).toHaveCount(1);
    await expectHarmless(page);
  }
});
