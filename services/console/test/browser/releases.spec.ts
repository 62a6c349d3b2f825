import { DeckScope } from "@gen/operators/v1/rate_pb.js";
import type { Page } from "@playwright/test";
import { expect, type Server, test } from "./fixtures.js";

test.use({ own: { table: "release" } });
test.describe.configure({ timeout: 240_000 });

/** Makes a release through the API and gives its id. */
async function draft(server: Server, description: string): Promise<string> {
  for await (const { step } of server.api().releases.createRelease({ description })) {
    if (step.case === "result") return step.value.release?.releaseId ?? "";
  }
  throw new Error("no draft");
}

/** A price of an operator that is in no release yet. */
async function importPrice(server: Server, prefix: string, price: string): Promise<void> {
  const api = server.api();
  const { operators } = await api.operators.listOperators({ pageSize: 100 });
  const operatorId = operators.find(({ name }) => name === "Meridian Carrier")?.operatorId;
  if (operatorId === undefined) throw new Error("the demo has no Meridian Carrier");
  const deck = new TextEncoder().encode(`prefix,price,currency\n${prefix},${price},EUR\n`);
  let ended = false;
  for await (const { step } of api.rates.importRates({ operatorId, deck, scope: DeckScope.PARTIAL })) ended = step.case === "result";
  expect(ended).toBe(true);
}

async function publish(server: Server, releaseId: string, reason = ""): Promise<void> {
  await server.api().releases.publishRelease({ releaseId, reason });
}

/** The page of a release is loaded: what a loaded machine needs for that is no part of what follows. */
async function expectRelease(page: Page): Promise<void> {
  await expect(page.getByRole("heading", { level: 1, name: /^Release \d+$/, includeHidden: true })).toBeAttached({ timeout: 60_000 });
}

/** The engine of the server says that it serves the activation that the page watches. */
async function expectServed(page: Page): Promise<void> {
  await expect(page).toHaveURL(/tab=engines&activation=\d+/);
  await expect(page.getByText("the engine serves it")).toBeVisible();
}

// The first of this file: the others make releases that one can go back to.
test("a way back is offered only when there is one", async ({ open, server }) => {
  const page = await open("/releases");
  await expect(page.getByRole("heading", { level: 2, name: "In force" })).toBeVisible();
  await expect(page.getByRole("grid", { name: "Releases" }).getByText("Active")).toBeVisible();
  await expect(page.getByRole("button", { name: "Roll back" })).toHaveCount(0);
  await page.goto(`${server.url}/console/releases?rollback=1`);
  await expect(page.getByRole("dialog").getByRole("note")).toContainText("there is nothing to go back to");
  await expect(page.getByRole("dialog").getByRole("alert")).toHaveCount(0);
});

test("a release is made, compared, tried, published and taken back", async ({ open, server }) => {
  await importPrice(server, "+44791", "0.0480");
  const page = await open("/releases");
  await page.getByRole("button", { name: "New release" }).click();
  const dialog = page.getByRole("dialog");
  const description = "<img src=x onerror=alert(1)> cheaper Britain";
  await dialog.getByLabel("Description").fill(description);
  await dialog.getByRole("button", { name: "Make the draft" }).click();
  await expect(dialog.getByText(/warnings of the conflict checker/)).toBeVisible();
  await dialog.getByRole("button", { name: /^Open release/ }).click();

  // What somebody typed is text, and the draft is compared with what is in force.
  await expect(page.getByText(description)).toBeVisible();
  await expect(page.getByText(/^Release \d+ against release \d+, which is in force$/)).toBeVisible();
  const changes = page.getByRole("grid", { name: "Changes" });
  await expect(changes.getByText("+44791", { exact: true })).toBeVisible();
  await page.getByRole("searchbox", { name: "Search changes" }).fill("+49");
  await expect(page.getByText("No change is like that")).toBeVisible();

  await page.getByRole("tab", { name: "Replay" }).click();
  await page.getByText("A file of numbers").click();
  const numbers = "+447911123456\n+447911129876\nnonsense\n";
  await page.locator("input[type=file]").setInputFiles({ name: "numbers.txt", mimeType: "text/plain", buffer: Buffer.from(numbers) });
  await page.getByRole("button", { name: "Replay", exact: true }).click();
  const report = page.getByRole("region", { name: "Result of the replay" });
  await expect(report.getByText(/^2 decisions as of/)).toBeVisible();
  await expect(report.getByText("1 line was left out.")).toBeVisible();

  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(dialog.getByText(/is in force at once in place of release \d+/)).toBeVisible();
  await expect(dialog.getByText(/What changes: .*prices: 1 new/)).toBeVisible();
  await dialog.getByLabel("Reason").fill("prices of winter");
  await dialog.getByRole("button", { name: "Publish now" }).click();
  await expectServed(page);

  // The notification leads back.
  await page.getByRole("alert").getByRole("button", { name: "Roll back" }).click();
  await expect(dialog.getByText(/prices: 1 gone/)).toBeVisible();
  await expect(dialog.getByText(/status and settings of operators count at once/)).toBeVisible();
  await dialog.getByRole("button", { name: /^Go back to release/ }).click();
  await expectServed(page);
  await page.getByRole("tab", { name: "History" }).click();
  await expect(page.getByRole("grid", { name: "Activations" }).getByText("Rollback", { exact: true })).toBeVisible();
});

test("a publish that somebody else overtook changes nothing and says who", async ({ open, server }) => {
  const mine = await draft(server, "mine");
  const theirs = await draft(server, "theirs");
  const page = await open(`/releases/${mine}?publish=1`);
  await expectRelease(page);
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText(/is in force at once/)).toBeVisible();
  await publish(server, theirs, "it could not wait");
  await dialog.getByRole("button", { name: "Publish now" }).click();
  await expect(dialog.getByText("Nothing was changed by you", { exact: false })).toContainText("it could not wait");
  await expect(dialog.getByText("RELEASE_MOVED")).toBeVisible();
  const { release } = await server.api().releases.getRelease({});
  expect(release?.releaseId).toBe(theirs);

  // What follows is about what is in force now, and goes through.
  await dialog.getByRole("button", { name: "Publish now" }).click();
  await expectServed(page);
});

test("a release is scheduled and called off", async ({ open, server }) => {
  const later = await draft(server, "later");
  const page = await open(`/releases/${later}?publish=1`);
  await expectRelease(page);
  const dialog = page.getByRole("dialog");
  await dialog.getByText("At a moment, at most 90 days ahead").click();
  await expect(dialog.getByText(/Until then release \d+ is served/)).toBeVisible();
  await dialog.getByRole("button", { name: "Schedule" }).click();
  await expect(page.getByText("the engine has it ready")).toBeVisible();

  // Whoever publishes another one is told what that calls off.
  const other = await draft(server, "other");
  await page.goto(`${server.url}/console/releases/${other}?publish=1`);
  await expect(dialog.getByText(/^Release \d+ is called off: it was scheduled for/)).toBeVisible();
  await page.goto(`${server.url}/console/releases`);
  await page.getByRole("button", { name: "Call off" }).click();
  await dialog.getByRole("button", { name: "Call it off" }).click();
  await expectServed(page);
  await page.goto(`${server.url}/console/releases/${later}?tab=history`);
  await expect(page.getByText("Publish, called off")).toBeVisible();
});

test("a viewer looks and cannot change anything", async ({ open, server }) => {
  const id = await draft(server, "for eyes only");
  const page = await open(`/releases/${id}`, { as: "viewer" });
  await expect(page.getByText("for eyes only")).toBeVisible();
  await expect(page.getByRole("tab", { name: "History" })).toBeVisible();
  for (const name of ["Publish", "Approve", "Roll back"]) await expect(page.getByRole("button", { name })).toHaveCount(0);
  await expect(page.getByRole("tab", { name: "Replay" })).toHaveCount(0);
  await page.goto(`${server.url}/console/releases/${id}?tab=replay`);
  await expect(page.getByText("Your role does not allow this")).toBeVisible();
  await page.goto(`${server.url}/console/releases?new=1`);
  await expect(page.getByRole("grid", { name: "Releases" }).getByText("for eyes only")).toBeVisible();
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("a second admin approves what another one made", async ({ open, server }) => {
  const id = await draft(server, "looked at twice");
  const page = await open(`/releases/${id}`);
  await expect(page.getByText("by nobody: none is required")).toBeVisible();
  await expect(page.getByRole("button", { name: "Approve" })).toHaveCount(0);
  const second = await open(`/releases/${id}`, { key: await server.api().makeKey("admin") });
  await expectRelease(second);
  await second.getByRole("button", { name: "Approve" }).click();
  await second.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
  await expect(second.getByText("Approved", { exact: true }).first()).toBeVisible();
});
