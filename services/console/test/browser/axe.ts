import { AxeBuilder } from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

export const schemes = ["light", "dark"] as const;

/** Draws the page in a colour scheme, as the system of its user would ask for. */
export async function useScheme(page: Page, scheme: (typeof schemes)[number]): Promise<void> {
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", scheme);
}

/** Fails when a machine finds something on the page, in either scheme, that keeps people out. Wait for what the page shows before. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const scheme of schemes) {
    await useScheme(page, scheme);
    // Legacy is what it calls working in the page itself: our pages have no frames that would need more.
    const axe = new AxeBuilder({ page }).setLegacyMode();
    // Colours are all that a scheme changes, so the second look is for them alone.
    if (scheme !== schemes[0]) axe.withRules("color-contrast");
    const { violations } = await axe.analyze();
    const found = violations.map(({ id, help, nodes }) => ({ scheme, id, help, where: nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary ?? ""}`) }));
    expect(found).toEqual([]);
  }
}
