/** The page of view and report as one HTML file, bundled from web/. */
import { join } from "node:path";
import { UserError } from "../../gpu/errors.ts";

/** The page's size is promised to be below this, in bytes. */
export const MOST_BYTES = 300_000;

/** Where a report puts its data. */
export const DATA_PLACE = "<!--data-->";

/**
 * Bundles web/ of a checkout: script, styles and the page around them in one text, which asks nothing of a network. The same sources give the
 * same bytes. Deno gets packages and the bundler (esbuild) from the npm registry, where its cache has them not yet.
 *
 * @param root the checkout
 * @param dir where it may put things meanwhile
 * @throws UserError where Deno cannot bundle
 */
export async function makePage(root: string, dir?: string): Promise<string> {
  const folder = Deno.makeTempDirSync({ dir, prefix: "softcot-page-" });
  try {
    const path = join(folder, "page.js");
    const how = ["--quiet", "--no-check", "--frozen", "--platform", "browser", "--format", "esm", "--minify"];
    const args = ["bundle", ...how, "--output", path, "web/main.tsx"];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: root, stdin: "null" })
      .output();
    if (!success) {
      const why = new TextDecoder().decode(stderr).trim().split("\n\nStack backtrace")[0];
      throw new UserError(
        `Cannot make the page: deno bundle says ${why}`,
        "the first time it gets preact, uplot and esbuild from the npm registry; the one file for servers has the page within",
      );
    }
    return withScript(Deno.readTextFileSync(join(root, "web/page.html")), Deno.readTextFileSync(path));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Puts a script into a page, so that nothing in it ends it. */
function withScript(page: string, script: string): string {
  const safe = script.trim().replaceAll(/<(\/script|!--)/gi, "\\x3c$1");
  return page.replace("/*script*/", () => safe);
}
