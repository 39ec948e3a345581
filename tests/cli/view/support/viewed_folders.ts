/** Folders that are looked at: a real training, evaluation and sweep, and the view over them. */
import { folderSource } from "../../../../cli/view/folder_source.ts";
import { rootsOf } from "../../../../cli/view/find_places.ts";
import { type Served, serveView } from "../../../../cli/view/serve_view.ts";
import { httpSource } from "../../../../web/data/http_source.ts";
import type { Source } from "../../../../web/data/view_data.ts";
import { testFolder } from "../../../support/folders.ts";
import { succeed } from "../../support/run_softcot.ts";
import { trainArgs } from "../../support/train_args.ts";

/**
 * Makes `runs/soft`, a training of four updates with its tables; `results`, an evaluation of its end; and `ways`, a sweep's folder of that run
 * and one that failed. All by the real program, the sweep's own files apart.
 */
export async function viewedFolders(): Promise<string> {
  const folder = await testFolder();
  const run = `${folder}/runs/soft`;
  const flags = { "test-questions": 2, "test-samples": 2, "sample-every": 1, "validate-every": 2, steps: 4 };
  await succeed(trainArgs({ ...flags, model: "builtin", thinking: "soft", "max-thinking": 24, out: run }));
  const asked = ["--samples", "4", "--limit", "3", "--max-thinking", "24", "--keep-mixtures", "2"];
  const modes = ["--mode", "hard-greedy,hard-sample,soft-sample"];
  const { stdout } = await succeed([
    ...["eval", "sums", "--model", `${run}/checkpoints/step-000004`, ...modes, ...asked],
    ...["--out", `${folder}/results`, "--json"],
  ]);
  makeSweep(`${folder}/ways`, run, stdout);
  return folder;
}

function makeSweep(sweep: string, run: string, report: string): void {
  copyFolder(run, `${sweep}/runs/soft-seed-0`);
  copyFolder(run, `${sweep}/runs/soft-seed-1`);
  const config = Deno.readTextFileSync(`${run}/config.toml`);
  Deno.writeTextFileSync(`${sweep}/runs/soft-seed-1/config.toml`, config.replace(/^seed = 0$/m, "seed = 1"));
  const names = ["soft-seed-0", "soft-seed-1", "hard-seed-0"];
  const of = <T>(value: (name: string) => T) => Object.fromEntries(names.map((name) => [name, value(name)]));
  const write = (path: string, data: unknown) => {
    Deno.mkdirSync(`${sweep}/${path}`.replace(/\/[^/]+$/, ""), { recursive: true });
    Deno.writeTextFileSync(`${sweep}/${path}`, typeof data === "string" ? data : JSON.stringify(data));
  };
  write("sweep.json", {
    base: null,
    evaluations: [],
    runs: of(() => ({})),
    lines: of((name) => name.slice(0, 4)),
  });
  write("jobs/soft-seed-0.json", { seconds: { train: 3 } });
  write("jobs/soft-seed-1.json", { seconds: { train: 3 } });
  const failed = { what: "train", status: 1, message: "the device was lost" };
  write("jobs/hard-seed-0.json", { seconds: {}, failed });
  Deno.mkdirSync(`${sweep}/runs/hard-seed-0`, { recursive: true });
  write("runs/hard-seed-0/config.toml", config.replace('thinking = "soft"', 'thinking = "hard"'));
  for (const name of names.slice(0, 2)) write(`runs/${name}/evaluations/step-000004/sums.json`, report);
  write("untrained/evaluations/step-000000/sums.json", report);
}

/** Copies a folder as another machine has it: without its locks, links and indexes. */
export function copyFolder(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const { name, isDirectory, isFile } of Deno.readDirSync(from)) {
    if (isDirectory) copyFolder(`${from}/${name}`, `${to}/${name}`);
    else if (isFile && !name.endsWith(".index")) Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
  }
}

/** A view that is served within this process. */
export interface View extends AsyncDisposable {
  served: Served;
  /** Its answers over HTTP. */
  source: Source;
}

/** Serves folders, on a port that is free. */
export function viewOf(folders: readonly string[], writable = true): View {
  const source = folderSource(rootsOf(folders), { writable });
  const stop = new AbortController();
  const page = { html: "<p>page</p>", policy: "default-src 'none'" };
  const served = serveView(source, page, 0, stop.signal);
  return {
    served,
    source: httpSource(served.url.replace(/\/$/, "")),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await served.finished;
      source[Symbol.dispose]();
    },
  };
}
