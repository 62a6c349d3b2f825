import { test as base, expect, type Page } from "@playwright/test";
import { Faults } from "./faults.js";
import { Server, type ServerOptions } from "./server.js";

export { expectAccessible, schemes, useScheme } from "./axe.js";
export { sayHealth } from "./nats.js";
export { routes } from "./routes.js";
export { expect, Server };

/** Who looks at the console; "nobody" has not signed in. */
export type Who = "admin" | "operator" | "viewer" | "nobody";

/** Opens the console at a path such as "/operators", in a tab of its own, and waits until the page is loaded. */
export type Open = (path: string, options?: { readonly as?: Who; readonly key?: string; readonly page?: Page }) => Promise<Page>;

interface TestFixtures {
  /** The server that open() opens: the shared one, or one of the test's own. */
  readonly server: Server;
  readonly open: Open;
  readonly faults: Faults;
}

interface WorkerFixtures {
  /**
   * Options of a server that belongs to the tests of a file alone: test.use({ own: { table: "release" } }). Without, they
   * share one with others and must change nothing that others see.
   */
  readonly own: ServerOptions | undefined;
  readonly shared: Server;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  own: [undefined, { option: true, scope: "worker" }],

  // Playwright starts a new worker for files with other options, and so another server.
  shared: [
    async ({ own }, use) => {
      const server = await Server.start(own);
      await use(server);
      await server.dispose();
    },
    { scope: "worker", timeout: 60_000 },
  ],

  server: async ({ shared }, use, info) => {
    await use(shared);
    if (info.status !== info.expectedStatus) await info.attach("trunkline.log", { body: shared.output });
  },

  faults: [
    async ({ context }, use) => {
      const faults = new Faults();
      await faults.watch(context);
      await use(faults);
      faults.check();
    },
    { auto: true },
  ],

  open: async ({ context, server }, use) => {
    await use(async (path, { as = "admin", key, page } = {}) => {
      const tab = page ?? (await context.newPage());
      const credential = key ?? (as === "nobody" ? "" : await server.key(as));
      await signIn(tab, credential);
      await tab.goto(`${server.url}/console${path}`);
      // Everything after this is a matter of calls; before it the browser reads some hundred KiB of script.
      await tab.locator("h1").first().waitFor({ timeout: 60_000 });
      return tab;
    });
  },
});

/**
 * Signs a tab in before its first page, where src/api/session.ts keeps the credential. Only once, so that signing out and
 * loading the page again is what it is for people.
 */
async function signIn(page: Page, credential: string): Promise<void> {
  if (credential === "") return;
  await page.addInitScript((text) => {
    if (sessionStorage.getItem("test.signed-in") === null) {
      sessionStorage.setItem("test.signed-in", "yes");
      sessionStorage.setItem("trunkline.credential", text);
    }
  }, credential);
}
