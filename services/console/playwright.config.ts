import { defineConfig } from "@playwright/test";

// Browser tests against bin/trunkline: ./task test:browser builds both. CHROMIUM names another browser, TRUNKLINE_BINARY
// another binary.
export default defineConfig({
  testDir: "test/browser",
  // gen/es lies outside this folder; the compiler's own tsconfig.json maps libraries to their types.
  tsconfig: "test/browser/tsconfig.json",
  outputDir: "test-results",
  workers: 2,
  // Tests of a file share its order, files share nothing.
  fullyParallel: false,
  forbidOnly: Boolean(process.env["CI"]),
  // A test that passes the second time is a defect.
  retries: 0,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: process.env["CI"] ? [["list"]] : [["line"]],
  use: {
    browserName: "chromium",
    locale: "en-GB",
    // Not UTC, so that the two are told apart.
    timezoneId: "Europe/Berlin",
    viewport: { width: 1280, height: 800 },
    // So that a test says which of its steps was not possible, on a loaded machine too.
    actionTimeout: 30_000,
    contextOptions: { reducedMotion: "reduce" },
    // Keeping one costs as much as the test itself: ask for it with `--trace retain-on-failure`.
    trace: "off",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
    },
  },
});
