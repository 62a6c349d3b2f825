import { type BrowserContext, expect } from "@playwright/test";

/** What browsers complained about during a test: errors on the console, of scripts, and of the content security policy. */
export class Faults {
  readonly #seen: string[] = [];
  readonly #expected: RegExp[] = [];

  /** Excuses what the test provokes, such as /ERR_CONNECTION_REFUSED/ where it stops the server. Call it before. */
  expect(...patterns: RegExp[]): void {
    this.#expected.push(...patterns);
  }

  async watch(context: BrowserContext): Promise<void> {
    context.on("console", (message) => {
      if (message.type() === "error") this.#seen.push(`console: ${message.text()} (${message.location().url})`);
    });
    context.on("weberror", (error) => this.#seen.push(`script: ${error.error().stack ?? error.error().message}`));
    // The browser's own message does not always say which directive refused what.
    await context.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => {
        console.error(`policy: ${event.effectiveDirective} refused ${event.blockedURI} ${event.sample} in ${event.sourceFile}:${String(event.lineNumber)}`);
      });
    });
  }

  /** Fails when there was anything else than what is expected. */
  check(): void {
    const unexpected = this.#seen.filter((text) => !this.#expected.some((pattern) => pattern.test(text)));
    expect(unexpected, "what the browser complained about; say faults.expect(/…/) for what a test provokes").toEqual([]);
  }
}
