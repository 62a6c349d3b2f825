import type { Page } from "@playwright/test";
import { expect, type Server, test } from "./fixtures.js";

// Prices of this file alone.
test.use({ own: { table: "database" } });

const carrier = "Price list;;\nDestination;Dial code;Rate EUR\nUnited Kingdom;4474, 4475, 4477-4479;0,0312\nO2;44 7911;0,0280\nJersey;441534;0,0900\n";

async function operatorId(server: Server, name: string): Promise<string> {
  const { operators } = await server.api().operators.listOperators({ search: name });
  return operators[0]?.operatorId ?? "none";
}

function deck(name: string, text: string) {
  return { name, mimeType: "text/csv", buffer: Buffer.from(text) };
}

/** The first step, for an operator that the address chose. */
async function upload(page: Page, text: string, scope: "The full price list" | "Changes only"): Promise<void> {
  await page.getByLabel("Rate deck").setInputFiles(deck("deck.csv", text));
  await page.getByRole("radio", { name: scope }).check();
  await page.getByRole("button", { name: "Read the deck" }).click();
  await expect(page.getByRole("button", { name: "Look at the changes" })).toBeVisible();
}

const change = (page: Page, prefix: string) => page.getByRole("grid", { name: "Changes" }).getByRole("row").filter({ hasText: prefix });

test("a deck with the headers of a carrier becomes prices, and the next one says what it changes", async ({ open, server }) => {
  const id = await operatorId(server, "Nordlink Transit");
  const page = await open(`/rates/import?operator=${id}`);
  await upload(page, carrier, "The full price list");
  await expect(page.getByRole("combobox", { name: "Prefix" })).toHaveValue("Dial code");
  await expect(page.getByRole("combobox", { name: "Price" })).toHaveValue("Rate EUR");
  await expect(page.getByRole("textbox", { name: "Currency" })).toHaveValue("EUR");
  await page.getByRole("button", { name: "Look at the changes" }).click();
  await expect(change(page, "+447911")).toContainText("0.028000 EUR");
  await page.getByRole("button", { name: "Apply 7 changes" }).click();
  await expect(page.getByText("The prices of Nordlink Transit are stored.")).toBeVisible();

  await page.getByRole("link", { name: "Show the prices" }).click();
  const prices = page.getByRole("grid", { name: "Prices" });
  await expect(prices.getByRole("row", { name: /\+441534/ })).toContainText("0.090000 EUR");

  await page.getByRole("link", { name: "Import a deck" }).first().click();
  await upload(page, "prefix,price,currency\n+447911,0.0700,EUR\n+4474,0.0300,EUR\n", "The full price list");
  await page.getByRole("button", { name: "Look at the changes" }).click();
  await expect(change(page, "+447911")).toContainText("+150.0 %");
  await expect(page.getByText("ends 5 prices of about 7, more than a tenth")).toBeVisible();
  await expect(page.getByText("1 price rises by more than 50 %, the most by +150.0 %")).toBeVisible();
  await page.getByRole("button", { name: "Apply 7 changes" }).click();
  const dialog = page.getByRole("dialog", { name: "Apply the deck of Nordlink Transit?" });
  await expect(dialog).toContainText("5 prices end");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toBeHidden();

  // Nothing was stored. Leaving asks, for the deck would have to be chosen again.
  await page.getByRole("link", { name: "Cancel" }).click();
  await page.getByRole("dialog", { name: "Leave without saving?" }).getByRole("button", { name: "Leave" }).click();
  await expect(prices.getByRole("row", { name: /\+447911/ })).toContainText("0.028000 EUR");
  await expect(prices.getByRole("row", { name: /\+441534/ })).toBeVisible();
});

test("bad lines are told with their line, column and sentence, and text of the deck stays text", async ({ open, server }) => {
  const id = await operatorId(server, "Pacific Gate");
  const page = await open(`/rates/import?operator=${id}`);
  await upload(page, 'prefix,price,currency,<img src=x onerror=alert(1)>\n+4479,abc,EUR,\n"<script>alert(1)</script>",0.1,EUR,\n', "Changes only");
  await page.getByRole("combobox", { name: "MCC" }).click();
  await expect(page.getByRole("option", { name: "<img src=x onerror=alert(1)>" })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Look at the changes" }).click();
  const lines = page.getByRole("grid", { name: "Bad lines" });
  await expect(lines.getByRole("row").nth(1)).toContainText("price");
  await expect(lines.getByRole("row").nth(2)).toContainText("prefix");
  await expect(page.locator("img[src=x]")).toHaveCount(0);
  await expect(page.getByRole("heading", { name: "2 lines cannot be taken" })).toBeVisible();
  const blocked = page.getByRole("alert");
  await expect(blocked).toBeFocused();
  await expect(blocked).toContainText("2 lines of the deck cannot be taken");
  await expect(blocked).toBeInViewport();
  await blocked.getByRole("button", { name: "Show the lines" }).click();
  await expect(lines).toBeInViewport();
  await expect(page.getByRole("button", { name: /^Apply/ })).toHaveCount(0);

  await page.reload();
  await expect(page.getByText("Files do not outlive a reload: choose the deck again.")).toBeVisible();
});

test("a viewer sees prices and exchange rates and changes none", async ({ open }) => {
  const page = await open("/rates", { as: "viewer" });
  await expect(page.getByRole("grid", { name: "Prices" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Import a deck" })).toHaveCount(0);
  await page.getByRole("tab", { name: "Exchange rates" }).click();
  await expect(page).toHaveURL(/tab=fx/);
  await expect(page.getByText("No exchange rates").or(page.getByRole("grid", { name: "Exchange rates" }))).toBeVisible();
  await expect(page.getByRole("button", { name: /the table$/ })).toHaveCount(0);
  await open("/rates/import", { as: "viewer", page });
  await expect(page.getByText("Your role does not allow this")).toBeVisible();
});

test("an operator writes the exchange rates to the last nano, and takes a change back", async ({ open, server }) => {
  const page = await open("/rates?tab=fx", { as: "operator" });
  await page.getByRole("button", { name: "Write the table" }).click();
  await page.getByRole("button", { name: "Add a currency" }).click();
  await page.getByRole("textbox", { name: "Currency" }).nth(1).fill("usd");
  await page.getByRole("textbox", { name: "Worth of one USD in EUR" }).fill("0,860000001");
  await page.getByRole("button", { name: "Store the table" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Store" }).click();
  const row = page.getByRole("grid", { name: "Exchange rates" }).getByRole("row", { name: /^USD/ });
  await expect(row).toContainText("0.860000001");

  await page.getByRole("button", { name: "Change the table" }).click();
  await page.getByRole("button", { name: "Remove USD" }).click();
  await page.getByRole("button", { name: "Store the table" }).click();
  const dialog = page.getByRole("dialog", { name: "Store these exchange rates?" });
  await expect(dialog).toContainText("USD goes: prices in USD can no longer be compared with others.");
  await dialog.getByRole("button", { name: "Store" }).click();
  await expect(row).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row).toContainText("0.860000001");
  const { fxRates } = await server.api().rates.listFxRates({});
  expect(fxRates.map(({ currencyCode, rateNanos }) => `${currencyCode} ${String(rateNanos)}`)).toEqual(["EUR 1000000000", "USD 860000001"]);
});

test("the address says which prices: of a prefix, at a moment, of an operator", async ({ open, server }) => {
  const id = await operatorId(server, "Sahel Connect");
  const page = await open(`/rates?operator=${id}&prefix=not+a+prefix`);
  await expect(page.getByText("That is no prefix")).toBeVisible();
  await page.getByRole("searchbox", { name: "Prefix" }).fill("0044 79");
  await expect(page.getByText("No price matches")).toBeVisible();
  await page.getByText("All times").click();
  await expect(page).toHaveURL(/at=all/);
  await page.getByRole("button", { name: "Show all prices" }).click();
  await expect(page).toHaveURL(/\/rates$/);
});
