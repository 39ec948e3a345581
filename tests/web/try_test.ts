/** The page of softcot serve in a browser: a question, three ways of thinking, and what a step was made of. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startServer } from "../cli/support/served.ts";
import { seriousFindings } from "./support/accessible.ts";
import { chromiumPath, openPage, withBrowser } from "./support/browser.ts";

Deno.test({
  name:
    "a question is answered in three ways side by side, its steps unfold, and a key is asked for where one is wanted",
  ignore: chromiumPath === undefined,
  fn: () =>
    withBrowser(async (browser) => {
      await using server = await startServer(["--api-key", "the-key"]);
      const { page, wrong } = await openPage(browser, `${server.url}/`, server.url);
      assertStringIncludes(await page.locator("#model").innerText(), "wants its key");
      await page.fill("#key", "the-key");
      await page.locator("#key").blur();
      await page.waitForFunction(() => document.getElementById("model")!.textContent!.startsWith("builtin"));
      await page.click("#ask");
      await page.waitForFunction(() => document.querySelectorAll(".way .answer").length === 3);
      await page.waitForSelector("#ask:not([disabled])");
      assertEquals(await page.locator(".way h2").allInnerTexts(), ["hard", "soft", "fuzzy"]);
      for (const answer of await page.locator(".answer").allInnerTexts()) {
        assertMatch(answer, /^\\boxed\{\d+\}$/);
      }
      const soft = page.locator('[aria-label="soft"]');
      assertMatch(await soft.locator(".thought").innerText(), /The final answer is:$/);
      const step = soft.locator(".step").first();
      await step.click();
      assertEquals(await step.getAttribute("aria-expanded"), "true");
      const tokens = await soft.locator(".mixtures li .token").count();
      assert(tokens >= 1);
      assertEquals(await seriousFindings(page), []);
      await step.click();
      assertEquals(await soft.locator(".mixtures li").count(), 0);
      // The first look without a key is refused, as it should be.
      assertEquals(
        wrong.filter((what) => !what.includes("401")),
        [],
      );
    }),
});
