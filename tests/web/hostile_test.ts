import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Page } from "playwright-core";
import { succeed } from "../cli/support/run_softcot.ts";
import { inFolder } from "../support/folders.ts";
import { chromiumPath, openPage, withBrowser } from "./support/browser.ts";
import { HOSTILE, writeHostileRun } from "./support/hostile_run.ts";
import { viewOf } from "./support/view_of.ts";

Deno.test({
  name: "hostile texts show as text, live and in a report from disk; what cannot be read is counted",
  ignore: chromiumPath === undefined,
  fn: (test) =>
    inFolder(async (folder) => {
      const name = "runs/<b>bold<img src=x onerror=globalThis.owned=1>".replaceAll("/", "⁄");
      const run = `${folder}/${name}`;
      const told = writeHostileRun(run);
      await withBrowser(async (browser) => {
        await test.step("view", async () => {
          await using view = await viewOf(run);
          const { page, wrong } = await openPage(browser, view.url, view.url);
          await look(page, view.url, name, told);
          assertEquals(wrong, []);
        });
        await test.step("report", async () => {
          const file = `${folder}/report #1?.html`;
          await succeed(["report", run, "--out", file]);
          const address = `file://${file.split("/").map(encodeURIComponent).join("/")}`;
          const { page, wrong } = await openPage(browser, address, "file://");
          await look(page, address, name, { rollouts: told.rollouts, damaged: 0 });
          assertEquals(wrong.filter((one) => one !== `asked for ${address}`), []);
        });
      });
    }),
});

async function look(
  page: Page,
  base: string,
  name: string,
  { rollouts, damaged }: { rollouts: number; damaged: number },
): Promise<void> {
  const id = encodeURIComponent(name);
  const views = [
    "/",
    `/run/${id}/curves`,
    `/rollouts/${id}`,
    `/speed/${id}`,
    `/tables/${id}`,
    `/settings/${id}`,
  ];
  for (const view of [...views, ...[0, 1, 2, 3].map((place) => `/rollout/${id}/${place}`)]) {
    await page.setViewportSize({ width: 360, height: 700 });
    await page.goto(`${base}#${view}`);
    await page.waitForFunction((words) => words.some((word) => document.body.innerText.includes(word)), [
      ...["bold", "There is no"],
    ]);
    await page.locator("main .view, main section, main table, main .empty").first().waitFor();
    const place = /^\/rollout\/.*\/(\d+)$/.exec(view)?.[1];
    if (place) {
      await page.getByRole("heading", { name: new RegExp(`rollout ${Number(place) + 1}$`) }).waitFor();
    }
    const found = await page.evaluate(() => ({
      owned: "owned" in globalThis,
      elements: document.querySelectorAll("main img, main script, main b img, main iframe").length,
      tooWide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
      length: document.body.innerText.length,
    }));
    assertEquals({ ...found, length: 0 }, { owned: false, elements: 0, tooWide: false, length: 0 }, view);
    assert(found.length < 200_000, `${view} shows ${found.length} characters`);
  }
  await page.goto(`${base}#/rollouts/${id}`);
  // The line that was cut off counts once nobody has written to it for a while.
  const counts = [damaged, damaged + 1].map((lines) =>
    `${rollouts} rollouts${damaged > 0 ? `; ${lines} damaged lines are left out` : ""}`
  );
  await page.waitForFunction(
    (counts) => counts.includes(document.querySelector(".rollouts-count")?.textContent ?? ""),
    counts,
  );
  await page.goto(`${base}#/rollout/${id}/0`);
  assertStringIncludes(await page.locator(".question-text").innerText(), HOSTILE.markup.slice(0, 60));
  await page.goto(`${base}#/rollout/${id}/1`);
  await page.getByRole("article").waitFor();
  await page.waitForFunction(() =>
    document.querySelector(".question-text")?.textContent?.includes("⟨U+202E⟩gnp.exe")
  );
  await page.goto(`${base}#/rollout/${id}/2`);
  await page.waitForFunction(() =>
    document.querySelector(".question-text")?.textContent?.includes("⟨U+001B⟩[31mred")
  );
  await page.goto(`${base}#/rollout/${id}/3`);
  await page.getByRole("button", { name: /more characters/ }).first().waitFor();
}
