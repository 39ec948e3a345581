import type { ReportData } from "../../web/data/report_data.ts";
import { UserError } from "../../gpu/errors.ts";
import { DATA_PLACE } from "../page/make_page.ts";
import { policyOf } from "../view/served_page.ts";

/** Characters of the longest text that V8 holds, and some to spare for the page. */
const MOST_CHARACTERS = 500_000_000;

/**
 * The page with its data within: one file that asks nothing of any network. Whatever stands in a text of the data, no tag begins in it.
 *
 * @param html the page, with {@link DATA_PLACE} in it
 * @throws UserError if the data is too large for one file
 */
export function reportPage(html: string, data: ReportData): string {
  const json = jsonOf(data).replaceAll("<", "\\u003c");
  if (json.length > MOST_CHARACTERS) throw tooLarge();
  // Its own script runs, and no other; frames are a matter of servers.
  const policy = policyOf(html).split("; ").filter((part) => !/^(frame-ancestors|connect-src)/.test(part))
    .join("; ");
  return html
    .replace(
      '<meta charset="utf-8">',
      () => `<meta charset="utf-8">\n    <meta http-equiv="Content-Security-Policy" content="${policy}">`,
    )
    .replace(DATA_PLACE, () => `<script type="application/json" id="data">${json}</script>`);
}

function jsonOf(data: ReportData): string {
  try {
    return JSON.stringify(data);
  } catch (error) {
    throw error instanceof RangeError ? tooLarge() : error;
  }
}

const tooLarge = () =>
  new UserError(
    "Cannot write the report: its data has over 500 MB, one file can hold less",
    "leave --full out, or name fewer runs",
  );
