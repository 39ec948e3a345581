import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Browser, Page } from "playwright-core";
import { softcotCommand, succeed } from "../cli/support/run_softcot.ts";
import { inFolder } from "../support/folders.ts";
import { jsonLines } from "../support/json_lines.ts";
import { seriousFindings } from "./support/accessible.ts";
import { chromiumPath, openPage, withBrowser } from "./support/browser.ts";
import { recordRuns, shortTraining } from "./support/recorded_runs.ts";
import { viewOf } from "./support/view_of.ts";

/** Every view, as an address behind #, and words that it shows. */
const VIEWS: readonly [address: string, words: RegExp][] = [
  ["/", /soft.*hard|hard.*soft/s],
  ["/run/runs%2Fsoft/curves", /Reward|reward/],
  ["/compare?runs=runs%2Fsoft,runs%2Fhard", /soft/],
  ["/rollouts/runs%2Fsoft", /32 rollouts/],
  ["/rollout/runs%2Fsoft/5", /Right answer/],
  ["/rollouts/runs%2Fresults", /12 rollouts/],
  ["/tables/runs%2Fsoft", /hard-greedy/],
  ["/speed/runs%2Fsoft", /gradient and optimizer/],
  ["/settings/runs%2Fsoft", /max-thinking/],
  ["/settings?runs=runs%2Fsoft,runs%2Fhard", /thinking/],
];

Deno.test({
  name: "a person walks through every view of runs that the program made",
  ignore: chromiumPath === undefined,
  fn: (test) =>
    inFolder(async (parent) => {
      const folder = `${parent}/runs`;
      await recordRuns(folder);
      await using view = await viewOf(folder);
      await withBrowser(async (browser) => {
        const address = (hash: string) => `${view.url}#${hash}`;
        const { page, wrong } = await openPage(browser, address("/"), view.url);
        const step = (name: string, fn: () => Promise<void>) => test.step({ name, fn });

        await step(
          "from the list of runs to a rollout and its neighbours, by keys alone",
          () => byKeys(page),
        );
        await step("filters stand in the address and narrow the list", () => filters(page, address, folder));
        await step("a soft thought shows what the record holds", () => thought(page, address, folder));
        await step(
          "one question over updates, beside another run, and in three modes",
          () => beside(page, address),
        );
        await step("where the time goes", () => speed(page, address));
        await step(
          "every view, in both schemes and at three widths, is accessible and fits",
          () => everyView(page, address),
        );
        assertEquals(wrong, []);
        await step("the same in a report, from disk and without a network", () => report(browser, folder));
        await step("what grows is seen without a reload", () => growth(browser, view.url, folder));
      });
    }),
});

async function byKeys(page: Page): Promise<void> {
  await page.getByRole("link", { name: "runs/soft", exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "Rollouts", exact: true }).press("Enter");
  await page.getByRole("grid").getByRole("link").first().waitFor();
  await page.getByRole("grid").focus();
  for (const key of ["ArrowDown", "ArrowDown", "ArrowUp", "Enter"]) await page.keyboard.press(key);
  await page.waitForURL(/#\/rollout\/runs%2Fsoft\/0$/);
  await page.getByRole("link", { name: "Next" }).waitFor();
  await page.keyboard.press("j");
  await page.waitForURL(/#\/rollout\/runs%2Fsoft\/1$/);
  await page.getByRole("heading", { name: /rollout 2$/ }).waitFor();
  await page.keyboard.press("k");
  await page.waitForURL(/#\/rollout\/runs%2Fsoft\/0$/);
  await page.keyboard.press("u");
  await page.waitForURL(/#\/rollouts\/runs%2Fsoft$/);
  await page.getByRole("searchbox").waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog").getByText("search in the texts").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  assertEquals(await page.evaluate(() => document.activeElement?.getAttribute("type")), "search");
}

async function filters(page: Page, address: (hash: string) => string, folder: string): Promise<void> {
  const kept = jsonLines(`${folder}/soft/samples.jsonl`);
  await page.goto(address("/rollouts/runs%2Fsoft"));
  const count = page.locator(".rollouts-count");
  const shows = (rows: number) =>
    page.waitForFunction(
      (text) => document.querySelector(".rollouts-count")?.textContent === text,
      [
        ...[rows === kept.length ? `${rows} rollouts` : `${rows} of ${kept.length} rollouts`],
      ][0],
    );
  await shows(kept.length);
  await page.getByLabel("verdict").selectOption("wrong");
  await shows(kept.filter(({ correct }) => !correct).length);
  assertMatch(page.url(), /verdict=wrong/);
  await page.getByLabel("reward").selectOption("100");
  await shows(0);
  await page.getByRole("button", { name: "All rollouts" }).click();
  await shows(kept.length);
  await page.getByLabel("groups").selectOption("equal");
  await shows(kept.filter(({ equal }) => equal).length);
  await page.getByRole("button", { name: "All rollouts" }).click();
  await page.getByRole("searchbox").fill("kim DROPS");
  const found = kept.filter(({ question }) => question.includes("Kim drops")).length;
  await shows(found);
  // The address alone brings the same list.
  await page.goto("about:blank");
  await page.goto(address("/rollouts/runs%2Fsoft?step=2&verdict=right"));
  await shows(kept.filter(({ step, correct }) => step === 2 && correct).length);
  await count.waitFor();
}

async function thought(page: Page, address: (hash: string) => string, folder: string): Promise<void> {
  const kept = jsonLines(`${folder}/soft/samples.jsonl`);
  const place = kept.findIndex(({ reward, mixtures }) => reward === 10 && mixtures[0].length > 1);
  assert(place >= 0, "no wrong answer with a mixture at its first step");
  const { mixtures, pieces, gold, boxed, thinking_tokens, noise, rule } = kept[place];
  await page.goto(address(`/rollout/runs%2Fsoft/${place}`));
  const details = page.getByRole("region", { name: "The chosen step" });
  await details.waitFor();
  const rows = await details.locator("tbody tr").allInnerTexts();
  for (const [i, [id, weight]] of mixtures[0].entries()) {
    assertStringIncludes(rows[i].replace("·", " "), pieces[id]);
    assertStringIncludes(rows[i], weight.toFixed(4));
  }
  assertStringIncludes(await details.innerText(), noise[0].toPrecision(4));
  const text = await page.getByRole("article").innerText();
  assertStringIncludes(text, `10 of 100: its box holds "${boxed}"`);
  assertStringIncludes(text, `the right one is "${gold}" (rule: ${rule})`);
  const steps = page.getByRole("listbox");
  assertEquals(
    await steps.getByRole("option").count(),
    thinking_tokens.length + kept[place].answer_tokens.length,
  );
  await steps.focus();
  await page.keyboard.press("ArrowRight");
  await details.getByRole("heading", { name: "Thinking, step 2" }).waitFor();
  await page.keyboard.press("End");
  await details.getByRole("heading", { name: /^Answer, step/ }).waitFor();
  await steps.getByRole("option").nth(2).hover();
  await details.getByRole("heading", { name: "Thinking, step 3" }).waitFor();
}

async function beside(page: Page, address: (hash: string) => string): Promise<void> {
  await page.goto(address("/rollout/runs%2Fsoft/0"));
  const slider = page.getByLabel("this question at update");
  await slider.focus();
  await page.keyboard.press("ArrowRight");
  await page.getByRole("heading", { name: /update 2 · soft · rollout 1/ }).waitFor();
  const chooser = page.getByLabel("the same question beside it");
  await chooser.selectOption({ label: "runs/hard · update 2" });
  await page.getByRole("article").nth(1).waitFor();
  assertMatch(await page.getByRole("article").nth(1).innerText(), /hard · update 2 · hard · rollout 1/);
  assertMatch(page.url(), /beside=/);
  await page.goto(address("/rollouts/runs%2Fresults"));
  await page.getByRole("grid").getByRole("link").first().waitFor();
  await page.getByRole("grid").focus();
  for (const key of ["ArrowDown", "Enter"]) await page.keyboard.press(key);
  await page.getByRole("button", { name: "All its modes side by side" }).click();
  await page.getByRole("article").nth(2).waitFor();
  const heads = await page.getByRole("article").locator("h2").allInnerTexts();
  assertEquals(heads.map((head) => head.split(" · ")[1]).sort(), [
    "fuzzy-sample",
    "hard-sample",
    "soft-sample",
  ]);
}

async function speed(page: Page, address: (hash: string) => string): Promise<void> {
  await page.goto(address("/speed/runs%2Fsoft"));
  await page.locator(".phase-table").waitFor();
  const phases = await page.locator(".phase-table tbody tr").allInnerTexts();
  assert(
    phases.some((row) => row.startsWith("rollouts")) && phases.some((row) => row.startsWith("gradient")),
  );
  const kernels = page.getByRole("region", { name: "Kernels" }).locator("tbody tr");
  await kernels.first().waitFor();
  assert(await kernels.count() > 10);
}

async function everyView(page: Page, address: (hash: string) => string): Promise<void> {
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  for (const [hash, words] of VIEWS) {
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(address(hash));
    await page.waitForFunction(
      (source) => new RegExp(source, "s").test(document.body.innerText),
      words.source,
    );
    assertEquals(await seriousFindings(page), [], hash);
    await page.emulateMedia({ colorScheme: "dark" });
    assertEquals(await seriousFindings(page, ["color-contrast"]), [], `${hash}, dark`);
    await page.emulateMedia({ colorScheme: "light" });
    for (const width of [360, 1280, 2560]) {
      await page.setViewportSize({ width, height: 800 });
      // Charts take their new width a moment later.
      const fits = page.waitForFunction(
        () => document.documentElement.scrollWidth <= document.documentElement.clientWidth,
        undefined,
        { timeout: 15_000 },
      );
      await fits.catch(() => {});
      assertEquals(await page.evaluate(tooWide), [], `${hash} at ${width} px`);
    }
  }
}

/** What stands out of the page to the right, if the page can be scrolled there. */
function tooWide(): string[] {
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  return [...document.querySelectorAll("main *")]
    .filter((element) => element.getBoundingClientRect().right > clientWidth + 1)
    .slice(0, 5).map((element) => element.outerHTML.slice(0, 120));
}

async function report(browser: Browser, folder: string): Promise<void> {
  const file = `${folder}/../report.html`;
  await succeed(["report", folder, "--out", file]);
  const base = `file://${await Deno.realPath(file)}`;
  const { page, wrong } = await openPage(browser, base, base);
  for (const [hash, words] of VIEWS) {
    await page.goto(`${base}#${hash}`);
    await page.waitForFunction(
      (source) => new RegExp(source, "s").test(document.body.innerText),
      words.source,
    );
  }
  await thought(page, (hash) => `${base}#${hash}`, folder);
  await beside(page, (hash) => `${base}#${hash}`);
  assertEquals(wrong, []);
}

async function growth(browser: Browser, url: string, folder: string): Promise<void> {
  const { page, wrong } = await openPage(browser, `${url}#/`, url);
  await page.evaluate(() => void ((globalThis as unknown as { same: boolean }).same = true));
  // More than any machine gets through before it is stopped.
  const steps = { thinking: "hard", steps: 1_000_000, "sample-every": 1, "validate-every": 0 };
  const process = softcotCommand(shortTraining(`${folder}/grown`, steps), { stdin: "null", stderr: "null" })
    .spawn();
  try {
    await page.getByRole("link", { name: "runs/grown", exact: true }).waitFor();
    await page.getByRole("row", { name: /grown/ }).getByText("running").waitFor();
    await page.getByRole("link", { name: "runs/grown", exact: true }).click();
    await page.getByRole("link", { name: "Rollouts", exact: true }).click();
    // As they are shown, a thousand with a space in it.
    const more = (than: number) =>
      page.waitForFunction((than) => {
        const shown = document.querySelector(".rollouts-count")?.textContent?.match(/^([\d\s]+) rollouts/);
        const count = Number(shown?.[1].replace(/\D/g, "") ?? 0);
        return count > than && count;
      }, than).then((handle) => handle.jsonValue());
    await more(Number(await more(0)));
    assert(
      await page.evaluate(() => (globalThis as unknown as { same: boolean }).same),
      "the page was loaded again",
    );
  } finally {
    process.kill("SIGINT");
    await process.output().catch(() => {});
  }
  await page.goto(`${url}#/`);
  await page.getByRole("row", { name: /grown/ }).getByText("stopped").waitFor();
  assertEquals(wrong, []);
}
