/**
 * Takes the pictures of the page that docs/ shows, of runs that are there: one view at each of three widths.
 *
 *     deno run -A tests/web/screenshots.ts RUNS OUT
 */
import { basename } from "node:path";
import { openPage, withBrowser } from "./support/browser.ts";
import { viewOf } from "./support/view_of.ts";

interface Picture {
  name: string;
  address: (runs: string[], place: number) => string;
  width: number;
  height: number;
  colorScheme: "light" | "dark";
}

/** What is shown: names of files, addresses of a folder's first run and all of them, sizes and schemes. */
const PICTURES: readonly Picture[] = [
  {
    name: "view-curves",
    address: (runs) => `/compare?runs=${encodeURIComponent(runs.join(","))}`,
    ...{ width: 2560, height: 760, colorScheme: "light" },
  },
  {
    name: "view-thought",
    address: (runs, place) => `/rollout/${encodeURIComponent(runs[0])}/${place}`,
    ...{ width: 1280, height: 1010, colorScheme: "light" },
  },
  {
    name: "view-rollouts",
    address: (runs) => `/rollouts/${encodeURIComponent(runs[0])}`,
    ...{ width: 360, height: 720, colorScheme: "dark" },
  },
];

if (import.meta.main) {
  const [folder, out] = Deno.args;
  if (!out) {
    console.error("usage: deno run -A tests/web/screenshots.ts RUNS OUT");
    Deno.exit(2);
  }
  await using view = await viewOf(folder);
  const runs = await runsIn(view.url, basename(folder));
  const place = await longWrong(view.url, runs[0]);
  await withBrowser(async (browser) => {
    for (const { name, address, width, height, colorScheme } of PICTURES) {
      const { page } = await openPage(browser, `${view.url}#${address(runs, place)}`, view.url, {
        viewport: { width, height },
        colorScheme,
        reducedMotion: "reduce",
      });
      await page.locator("main .view, main .charts").first().waitFor();
      await page.waitForLoadState("networkidle").catch(() => {});
      await page.waitForTimeout(1000);
      await page.screenshot({ path: `${out}/${name}.png` });
      await page.close();
    }
  });
}

/** Ids of the runs: those that think in mixtures first. */
async function runsIn(url: string, root: string): Promise<string[]> {
  const { places } = await (await fetch(`${url}api/overview`)).json();
  const runs = (places as { id: string; kind: string; has: { mixtures: boolean } }[])
    .filter(({ kind }) => kind === "run").toSorted((a, b) => Number(b.has.mixtures) - Number(a.has.mixtures));
  if (runs.length === 0) throw new Error(`Cannot take pictures: there is no run in ${root}`);
  return runs.map(({ id }) => id);
}

/** Of the first rollouts that were wrong the one that thought longest. */
async function longWrong(url: string, id: string): Promise<number> {
  const asked = new URLSearchParams({ id, correct: "false", limit: "100" });
  const { lines } = await (await fetch(`${url}api/rollouts?${asked}`)).json();
  const kept = lines as { place: number; tokens: number }[];
  return kept.toSorted((a, b) => b.tokens - a.tokens)[0]?.place ?? 0;
}
