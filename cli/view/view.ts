import { UserError } from "../../gpu/errors.ts";
import { isFolder } from "../../model/files/on_disk.ts";
import { giveUpKinds } from "../permissions/give_up.ts";
import { defineCommand } from "../settings/define_command.ts";
import { flag, integer } from "../settings/setting.ts";
import { say } from "../terminal/print.ts";
import { rootsOf } from "./find_places.ts";
import { folderSource } from "./folder_source.ts";
import { openBrowser } from "./open_browser.ts";
import { servedPage } from "./served_page.ts";
import { serveView } from "./serve_view.ts";

const settings = {
  port: integer("Port to listen on", { min: 1, max: 65_535, defaultText: "one that is free" }),
  open: flag("Open the page in the browser"),
  readOnly: flag("Write nothing, not even the index beside long files: it is kept in memory"),
};

/** `softcot view`: a page over runs, sweeps and evaluations. */
export const viewCommand = defineCommand({
  description: `Look at runs, sweeps and evaluations in a browser, while they grow and after.

Serves a page on 127.0.0.1 until Ctrl-C: curves, tables with errors, rollouts, and what each soft step mixed. It reads the folders' own \
files, wherever they were made; beside long ones it keeps an index (NAME.jsonl.index), which may be deleted at any time. It serves \
nothing outside of the folders, and follows no links in them.`,
  arguments: [[
    "[folders...:string:run]",
    "folders of runs, sweeps or evaluations, or folders of such (default: runs and sweeps)",
  ]],
  settings,
  examples: [
    ["All runs and sweeps of this folder", "softcot view --open"],
    ["Two runs that were copied from a server", "softcot view ~/copied/soft-1 ~/copied/hard-1"],
  ],
  async run({ port = 0, open, readOnly }, { args, json, print }) {
    const roots = rootsOf(args.length > 0 ? args : usualFolders());
    const page = await servedPage();
    using source = folderSource(roots, { writable: !readOnly });
    const stop = new AbortController();
    const served = serveView(source, page, port, stop.signal);
    if (open) openBrowser(served.url);
    giveUpKinds("net", "run", "sys");
    print({ url: served.url, port: served.port, folders: roots.map(({ path }) => path) }, () => served.url);
    if (!json) say("Ctrl-C ends it.");
    for (const signal of ENDS) Deno.addSignalListener(signal, () => stop.abort());
    await served.finished;
  },
});

const ENDS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/** Where train and sweep put things. */
function usualFolders(): string[] {
  const found = ["runs", "sweeps"].filter(isFolder);
  if (found.length > 0) return found;
  throw new UserError(
    "Cannot view anything: there is no folder runs or sweeps here, one of runs is needed",
    "name a folder: softcot view FOLDER",
  );
}
