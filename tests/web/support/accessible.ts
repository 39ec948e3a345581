import axe from "axe-core";
import type { Page } from "playwright-core";

/**
 * What axe finds that is serious or critical: rule, what it says, and where.
 * @param rules these alone; all if left out
 */
export async function seriousFindings(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!await page.evaluate(() => "axe" in globalThis)) await page.evaluate(axe.source);
  const { violations } = await page.evaluate(
    // deno-lint-ignore no-explicit-any
    (rules) => (globalThis as any).axe.run(document, { resultTypes: ["violations"], runOnly: rules }),
    rules,
  );
  return (violations as Violation[]).filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map(({ html }) => html).join(" ")}`);
}

interface Violation {
  id: string;
  impact: string;
  help: string;
  nodes: { html: string }[];
}
