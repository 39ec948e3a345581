import axe from "axe-core";
import type { Page } from "playwright-core";

/** What axe finds that is serious or critical: rule, what it says, and where. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    // deno-lint-ignore no-explicit-any
    (globalThis as any).axe.run(document, { resultTypes: ["violations"] })
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
