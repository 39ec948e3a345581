import { join } from "node:path";
import type { Source } from "../../web/data/view_data.ts";
import { reportSheets, type SheetChoice } from "../../web/figures/report_sheets.ts";
import { UserError } from "../../gpu/errors.ts";

/** What figures are written as. */
export type FigureForm = "svg" | "png";

/**
 * Writes the figures of all that a source has into a folder, a file each: the curves of all runs on one sheet (`curves`), every panel of it
 * alone, and what was measured.
 *
 * @returns the paths of the files
 * @throws UserError where there is nothing to draw, or the folder cannot be written to
 */
export async function writeFigures(
  source: Source,
  folder: string,
  form: FigureForm,
  choice: SheetChoice = {},
): Promise<string[]> {
  const sheets = await reportSheets(source, choice);
  if (sheets.length === 0) {
    throw new UserError(
      "Cannot draw figures: no run here has a line of metrics, and nothing was measured; at least one is needed",
      choice.metrics
        ? "metrics are named as in metrics.jsonl: --metrics accuracy,thinking_tokens"
        : undefined,
    );
  }
  try {
    Deno.mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new UserError(`Cannot write figures to ${folder}: ${(error as Error).message}, a folder is needed`);
  }
  const paths: string[] = [];
  for (const { name, text } of sheets) {
    const path = join(folder, `${name}.${form}`);
    const bytes = form === "svg"
      ? new TextEncoder().encode(text)
      : await (await import("./render_png.ts")).renderPng(text);
    Deno.writeFileSync(`${path}.tmp`, bytes);
    Deno.renameSync(`${path}.tmp`, path);
    paths.push(path);
  }
  return paths;
}
