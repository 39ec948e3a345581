import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";

/** Where Debian and others put the browser. */
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Chromium's path: that of SOFTCOT_CHROMIUM, or the system's; undefined where there is none, and the tests of the page are skipped. */
export const chromiumPath: string | undefined = Deno.env.get("SOFTCOT_CHROMIUM") ??
  PLACES.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });

if (chromiumPath === undefined) {
  console.log(
    "no chromium: what needs a browser is skipped (apt-get install chromium, or name one by SOFTCOT_CHROMIUM)",
  );
}

/** Runs a test with a browser of its own; in CI as root, for whom Chromium has no sandbox. */
export async function withBrowser(test: (browser: Browser) => Promise<void>): Promise<void> {
  const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
  try {
    await test(browser);
  } finally {
    await browser.close();
  }
}

/** A page that is watched: what it asked of others, and what went wrong in it. */
export interface WatchedPage {
  page: Page;
  /** Requests to anything but what it may ask, dialogs, errors, and errors on the console. */
  wrong: string[];
}

/**
 * Opens a page.
 * @param allowed beginning of the addresses that may be asked
 */
export async function openPage(
  browser: Browser,
  address: string,
  allowed: string,
  options: Parameters<Browser["newPage"]>[0] = {},
): Promise<WatchedPage> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
  page.setDefaultTimeout(60_000);
  const wrong: string[] = [];
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(allowed) && !/^(data|blob):/.test(url)) wrong.push(`asked for ${url}`);
  });
  page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") wrong.push(`console: ${message.text()}`);
  });
  page.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.goto(address);
  return { page, wrong };
}
