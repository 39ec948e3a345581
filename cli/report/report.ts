import { ValidationError } from "@cliffy/command";
import { UserError } from "../../gpu/errors.ts";
import { writeWhole } from "../../model/files/write_whole.ts";
import { ownPage } from "../page/own_page.ts";
import { defineCommand } from "../settings/define_command.ts";
import { flag, number, path, texts } from "../settings/setting.ts";
import { counted } from "../terminal/counted.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import { rootsOf } from "../view/find_places.ts";
import { folderSource } from "../view/folder_source.ts";
import { gatherReport } from "./gather_report.ts";
import { reportPage } from "./report_page.ts";
import { writeFigures } from "./write_figures.ts";

const settings = {
  out: path("HTML file to write", { placeholder: "file" }),
  size: number("Most data in the file, in MB: rollouts are left out, whole groups, until it has no more", {
    default: 20,
    above: 0,
    placeholder: "MB",
  }),
  full: flag("Leave nothing out"),
  png: path("Folder for figures as PNG, 300 dots to the inch", { placeholder: "dir" }),
  svg: path("Folder for figures as SVG", { placeholder: "dir" }),
  metrics: texts("Figures of these metrics, as metrics.jsonl has them; a + puts several in one", {
    placeholder: "names",
    defaultText: "the method's own",
  }),
};

/** `softcot report`: runs as one file, or as figures. */
export const reportCommand = defineCommand({
  description: `Write runs, sweeps and evaluations as one file, or as figures.

--out makes the page of softcot view with its data within: one HTML file, which opens from disk without a network, and which can be sent \
or put on a server. --png and --svg make figures at paper quality, and --json prints all the data.`,
  arguments: [["<runs...:string:run>", "folders of runs, sweeps or evaluations, or folders of such"]],
  settings,
  examples: [
    ["A sweep as one file", "softcot report sweeps/ways --out ways.html"],
    [
      "Curves of two runs for a paper",
      "softcot report runs/soft runs/hard --svg figures --metrics reward,accuracy",
    ],
  ],
  async run({ out, size, full, png, svg, metrics }, { args, json, print }) {
    if (!json && [out, png, svg].every((place) => place === undefined)) {
      throw new ValidationError(
        "Name what is to be written: --out FILE.html, --png DIR, --svg DIR, or --json.",
      );
    }
    using source = folderSource(rootsOf(args), { writable: false });
    await source.places.readAll();
    const written: string[] = [];
    if (svg !== undefined) written.push(...await writeFigures(source, svg, "svg", { metrics }));
    if (png !== undefined) written.push(...await writeFigures(source, png, "png", { metrics }));
    if (out === undefined && !json) {
      return print({ figures: written }, () => `${counted(written.length, "figure")} written`);
    }
    const data = await gatherReport(source, full ? Infinity : size * 1e6);
    if (data.overview.places.length === 0) {
      throw new UserError(`Cannot report on ${args.join(", ")}: no run, sweep or evaluation is there`);
    }
    if (out === undefined) return print(data, () => "");
    const page = reportPage(await ownPage(), data);
    writeReport(out, page);
    const left = data.sampled === "" ? "" : `: ${data.sampled} (--full leaves nothing out)`;
    print(data, () => `${out}: ${inBytes(new TextEncoder().encode(page).length)}${left}`);
  },
});

function writeReport(path: string, text: string): void {
  try {
    writeWhole(path, text);
  } catch (error) {
    throw new UserError(
      `Cannot write ${path}: ${(error as Error).message}, a folder that is there is needed`,
    );
  }
}
