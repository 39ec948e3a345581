/** Runs that are damaged or odd: what was done to a folder that `softcot train` left. */
import { gzipSync } from "node:zlib";

/** A way to damage a run, and what is expected of the commands. */
export interface Damage {
  name: string;
  /** Does it, to a run whose last checkpoint is `last`, a path from the run. */
  apply(run: string, last: string, others: Others): void;
}

/** What else lies about. */
export interface Others {
  /** A run of a wider model. */
  wider: string;
  /** A file beyond the run. */
  secret: string;
}

const text = (path: string) => Deno.readTextFileSync(path);
const edit = (path: string, change: (text: string) => string) =>
  Deno.writeTextFileSync(path, change(text(path)));
const half = (path: string) => Deno.truncateSync(path, Math.floor(Deno.statSync(path).size / 2));
const fifo = (path: string) => {
  Deno.removeSync(path);
  const { success } = new Deno.Command("mkfifo", { args: [path] }).outputSync();
  if (!success) throw new Error(`mkfifo ${path}`);
};
const folder = (path: string) => {
  Deno.removeSync(path);
  Deno.mkdirSync(path);
};

/** What may happen to any file. */
const ANY: Record<string, (path: string, others: Others) => void> = {
  "is missing": (path) => Deno.removeSync(path),
  "is cut": half,
  "is empty": (path) => Deno.truncateSync(path, 0),
  "is a folder": folder,
  "is a FIFO": fifo,
  "is a link out": (path, { secret }) => {
    Deno.removeSync(path);
    Deno.symlinkSync(secret, path);
  },
  "may not be read": (path) => Deno.chmodSync(path, 0),
  "is noise": (path) => Deno.writeFileSync(path, crypto.getRandomValues(new Uint8Array(300))),
};

/** Which of that happens to which file: of the run, and of its last checkpoint (`LAST/`). */
const OF_FILES: Record<string, (keyof typeof ANY)[]> = {
  "config.toml": ["is missing", "is cut", "is empty", "is a folder", "is a FIFO", "may not be read"],
  "metrics.jsonl": ["is missing", "is a folder", "is a FIFO", "is a link out", "may not be read"],
  "samples.jsonl": ["is missing", "is a FIFO", "is noise"],
  "shape.json": ["is missing", "is cut", "is a folder", "is a FIFO"],
  "tests.json": ["is missing", "is cut", "is a folder", "is a FIFO"],
  "best": ["is missing", "is empty", "is a folder", "is a FIFO", "is noise"],
  "lock": ["is missing", "is a folder", "may not be read"],
  "LAST/state.json": ["is missing", "is cut", "is a FIFO"],
  "LAST/model.safetensors": ["is missing", "is cut", "is a folder", "is a link out", "may not be read"],
  "LAST/optimizer.safetensors": ["is missing", "is cut", "is a FIFO"],
  "LAST/config.json": ["is missing", "is cut", "is noise"],
  "LAST/tokenizer.json": ["is missing", "is empty"],
  "LAST/softcot.json": ["is missing", "is cut", "is a folder"],
};

/** What happens to more than one file, or to what is in it. */
const ODD: Record<string, Damage["apply"]> = {
  "the run is a file": (run) => {
    Deno.removeSync(run, { recursive: true });
    Deno.writeTextFileSync(run, "a file");
  },
  "the run is an empty folder": (run) => {
    Deno.removeSync(run, { recursive: true });
    Deno.mkdirSync(run);
  },
  "no checkpoint is left": (run) => Deno.removeSync(`${run}/checkpoints`, { recursive: true }),
  "checkpoints is a file": (run) => {
    Deno.removeSync(`${run}/checkpoints`, { recursive: true });
    Deno.writeTextFileSync(`${run}/checkpoints`, "");
  },
  "the last checkpoint is a file": (run, last) => {
    Deno.removeSync(`${run}/${last}`, { recursive: true });
    Deno.writeTextFileSync(`${run}/${last}`, "");
  },
  "the last checkpoint is a link to another run's": (run, last, { wider }) => {
    Deno.removeSync(`${run}/${last}`, { recursive: true });
    Deno.symlinkSync(`${wider}/${last}`, `${run}/${last}`);
  },
  "all checkpoints are a wider run's": (run, _last, { wider }) => {
    Deno.removeSync(`${run}/checkpoints`, { recursive: true });
    const { success } = new Deno.Command("cp", { args: ["-r", `${wider}/checkpoints`, run] }).outputSync();
    if (!success) throw new Error("cp");
  },
  "the last checkpoint has an earlier one's number": (run, last) =>
    edit(`${run}/${last}/state.json`, (text) => text.replace(/"step": \d+/, '"step": 1')),
  "the state lacks its kernels": (run, last) =>
    edit(`${run}/${last}/state.json`, (text) => JSON.stringify({ ...JSON.parse(text), kernels: undefined })),
  "the state holds texts for numbers": (run, last) =>
    edit(
      `${run}/${last}/state.json`,
      (text) =>
        JSON.stringify({ ...JSON.parse(text), embeddingRms: "much", tokens: "many", best: 3, forcedIds: [] }),
    ),
  "the state is null": (run, last) => Deno.writeTextFileSync(`${run}/${last}/state.json`, "null"),
  "weights are NaN, and hashes say so": (run, last) => {
    const path = `${run}/${last}/model.safetensors`;
    const bytes = Deno.readFileSync(path);
    bytes.fill(0xff, bytes.length - 400);
    Deno.writeFileSync(path, bytes);
    edit(`${run}/${last}/state.json`, (text) => JSON.stringify({ ...JSON.parse(text), sha256: {} }));
  },
  "the unit of the noise is a text": (run, last) =>
    Deno.writeTextFileSync(`${run}/${last}/softcot.json`, '{"embedding_rms": "0.1", "embeddingRms": null}'),
  "metrics have each line twice": (run) =>
    edit(
      `${run}/metrics.jsonl`,
      (text) => text.trimEnd().split("\n").map((line) => `${line}\n${line}\n`).join(""),
    ),
  "metrics are lists and numbers": (run) =>
    Deno.writeTextFileSync(`${run}/metrics.jsonl`, '[1]\n7\nnull\n"x"\n{}\n'),
  "metrics hold texts for numbers": (run) =>
    edit(`${run}/metrics.jsonl`, (text) => text.replaceAll(/"reward":[^,]+/g, '"reward":"high"')),
  "metrics are packed": (run) =>
    Deno.writeFileSync(`${run}/metrics.jsonl`, gzipSync(Deno.readFileSync(`${run}/metrics.jsonl`))),
  "metrics have the line ends of Windows": (run) =>
    edit(`${run}/metrics.jsonl`, (text) => text.replaceAll("\n", "\r\n")),
  "samples are of a version to come": (run) =>
    edit(
      `${run}/samples.jsonl`,
      (text) => text.replaceAll('"version":2', '"version":99').replaceAll('"thinking":', '"thoughts":'),
    ),
  "tests hold other things": (run) =>
    Deno.writeTextFileSync(`${run}/tests.json`, '{"before": 3, "after": [{"mode": 3}]}'),
  "a setting is unknown": (run) => edit(`${run}/config.toml`, (text) => `of-tomorrow = 7\n${text}`),
  "a setting is out of its bounds": (run) =>
    edit(`${run}/config.toml`, (text) => text.replace(/^group = .*$/m, "group = -3")),
  "a setting is of another type": (run) =>
    edit(`${run}/config.toml`, (text) => text.replace(/^gamma = .*$/m, 'gamma = "loud"')),
  "the task is gone": (run) =>
    edit(`${run}/config.toml`, (text) => text.replace(/^task = .*$/m, 'task = "riddles"')),
  "the shape is a list": (run) => Deno.writeTextFileSync(`${run}/shape.json`, "[1, 2]"),
  "best leads out": (run, _last, { wider }) => Deno.writeTextFileSync(`${run}/best`, `${wider}/checkpoints`),
  "best is a checkpoint that is gone": (run) =>
    Deno.writeTextFileSync(`${run}/best`, "checkpoints/step-000999\n"),
  "all of it may only be read": (run) => {
    new Deno.Command("chmod", { args: ["-R", "a-w", run] }).outputSync();
  },
  "what killed processes left lies about": (run) => {
    Deno.mkdirSync(`${run}/checkpoints/step-000099.tmp`);
    Deno.mkdirSync(`${run}/checkpoints/step-000007.damaged`);
    Deno.writeTextFileSync(`${run}/checkpoints/notes.txt`, "mine");
    Deno.writeTextFileSync(`${run}/tests.json.0a1b2c3d-4e5f.tmp`, "{");
  },
};

/** All of them. */
export const DAMAGES: readonly Damage[] = [
  ...Object.entries(OF_FILES).flatMap(([file, ways]) =>
    ways.map((way): Damage => ({
      name: `${file} ${way}`,
      apply: (run, last, others) => ANY[way](`${run}/${file.replace("LAST", last)}`, others),
    }))
  ),
  ...Object.entries(ODD).map(([name, apply]): Damage => ({ name, apply })),
];
