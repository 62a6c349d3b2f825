// Usage: npm run shots -- --url URL --key KEY --out DIR [--only PAGE,...] [--theme light,dark] [--width 390,1280,2560] [--path PATH]
// Takes a picture of every page of test/browser/routes.json, for people to look at. --path takes one of any other place.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "@playwright/test";

const { values: options } = parseArgs({
  options: {
    url: { type: "string" },
    key: { type: "string", default: "" },
    out: { type: "string" },
    only: { type: "string" },
    path: { type: "string" },
    theme: { type: "string", default: "light,dark" },
    width: { type: "string", default: "390,1280,2560" },
  },
});
const { url, key, out, only, path } = options;
if (url === undefined || out === undefined) {
  console.error("shots: give --url, the address of a server, and --out, a folder for the pictures");
  process.exit(2);
}
const heights = { 390: 844, 1280: 800, 2560: 1440 };
const settle = 5_000; // milliseconds until a page that goes on loading is taken as it is

let routes = JSON.parse(readFileSync(new URL("../test/browser/routes.json", import.meta.url), "utf8"));
if (only !== undefined) routes = routes.filter((route) => only.split(",").includes(route.name));
if (path !== undefined) routes = [{ name: path.replace(/[^a-z0-9]+/gi, "-").replace(/^-|-$/g, "") || "root", path }];

/** The id of the first of a list that the API gives. */
async function first(procedure, list, id, request = {}) {
  const headers = { "content-type": "application/json", ...(key === "" ? {} : { authorization: `Bearer ${key}` }) };
  const answer = await fetch(`${url}/${procedure}`, { method: "POST", headers, body: JSON.stringify({ pageSize: 1, ...request }) });
  return (await answer.json())[list]?.[0]?.[id] ?? "none";
}
const ids = {
  operator: () => first("trunkline.operators.v1.OperatorService/ListOperators", "operators", "operatorId", { statuses: ["OPERATOR_STATUS_ACTIVE"] }),
  rule: () => first("trunkline.operators.v1.RoutingRuleService/ListRoutingRules", "rules", "ruleId"),
  release: () => first("trunkline.releases.v1.ReleaseService/ListReleases", "releases", "releaseId"),
  decision: () => first("trunkline.routing.v1.DecisionService/ListDecisions", "decisions", "decisionId"),
  account: () => first("trunkline.access.v1.AccountService/ListAccounts", "accounts", "accountId"),
  key: () => first("trunkline.access.v1.ApiKeyService/ListApiKeys", "apiKeys", "keyId"),
  row: () => first("trunkline.access.v1.AuditService/ListAuditRows", "rows", "auditId"),
};
for (const route of routes) {
  for (const [name, find] of Object.entries(ids)) {
    if (route.path.includes(`{${name}}`)) route.path = route.path.replace(`{${name}}`, await find());
  }
}

mkdirSync(out, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
});
for (const colorScheme of options.theme.split(",")) {
  for (const width of options.width.split(",").map(Number)) {
    const context = await browser.newContext({
      colorScheme, viewport: { width, height: heights[width] ?? 900 }, reducedMotion: "reduce", locale: "en-GB", timezoneId: "Europe/Berlin",
    });
    if (key !== "") await context.addInitScript((text) => sessionStorage.setItem("trunkline.credential", text), key);
    for (const route of routes) {
      const page = await context.newPage();
      const name = `${route.name}-${colorScheme}-${width}`;
      page.on("console", (message) => {
        if (message.type() === "error") console.log(`${name}: console: ${message.text()}`);
      });
      page.on("pageerror", (error) => console.log(`${name}: script: ${error.message}`));
      await page.goto(`${url}/console${route.path}`);
      await page.locator("h1").first().waitFor({ timeout: settle }).catch(() => console.log(`${name}: no heading`));
      await page.waitForFunction(() => document.querySelector(".mantine-Skeleton-root, .mantine-Loader-root, [aria-busy=true]") === null, undefined, { timeout: settle })
        .catch(() => console.log(`${name}: still loading`));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) console.log(`${name}: ${wide} px wider than the screen`);
      await page.screenshot({ path: join(out, `${name}.png`), fullPage: true });
      await page.close();
    }
    await context.close();
  }
}
await browser.close();
console.log(`shots: ${routes.length} pages in ${out}`);
