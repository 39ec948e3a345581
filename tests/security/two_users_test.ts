/** Another user of the machine has laid things into a shared folder: nothing of it is run or written through, and nothing waits for it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { PINNED_DENO } from "../../cli/facts/pinned_deno.ts";
import { type Finished, told } from "../cli/support/run_softcot.ts";
import { smallModel } from "../cli/support/small_model.ts";
import { root } from "../support/places.ts";

/** A user of no name, and nothing but this. */
const OTHER = 54321;
/** A slow machine opens a device and compiles its kernels in a few seconds; what waits for another user waits for ever. */
const PATIENCE = 60_000;
const ASKED = "Sam has 3 coins. How many coins does Sam have?";

const isTwo = Deno.build.os === "linux" && Deno.uid() === 0 && await asOther("true", "/").catch(() => false);
if (!isTwo) console.log("skipped: only root, with setpriv, can be two users");

const { folder, model } = isTwo ? await smallModel() : { folder: "", model: "" };
const shared = `${folder}/shared`;
const mine = `${folder}/mine`;

if (isTwo) {
  for (const path of [shared, mine, `${mine}/home`]) Deno.mkdirSync(path);
  Deno.chmodSync(folder, 0o755);
  Deno.chmodSync(shared, 0o1777);
  Deno.chmodSync(mine, 0o700);
  for (const name of ["kept", "secret"]) {
    Deno.writeTextFileSync(`${mine}/${name}`, `${name} hf_${"Ab3".repeat(10)}`);
  }
  assert(await asOther(planting(), shared), "the other user could not lay his things");
}

/** What the other user lays: scripts of names that are looked for, links to files of ours, FIFOs, a cache. */
function planting(): string {
  const commit = "0".repeat(40);
  const cached = `cache/softcot/deno-${PINNED_DENO}`;
  return `umask 000
ran='PLANTED RAN'
js="console.error('$ran'); try { Deno.writeTextFileSync('${shared}/mark', 'x') } catch {}; export default {}"
sh="#!/bin/sh
echo '$ran' >&2; echo > ${shared}/mark; echo deno ${PINNED_DENO}"
lay() { mkdir -p "$(dirname "$1")" && printf '%s\\n' "$2" > "$1" && chmod 777 "$1"; }
for name in x.js x.ts main.ts cli/main.ts index.js mod.ts node_modules/@cliffy/command/index.js; do lay $name "$js"; done
for name in git nvidia-smi deno npm python3 apt-get sudo env pip.py sitecustomize.py .bashrc; do lay $name "$sh"; done
lay deno.json '{"imports": {"@cliffy/command": "./x.js", "zod": "./x.js"}, "permissions": {"softcot": {"all": true}}}'
cp deno.json deno.jsonc
lay package.json '{"dependencies": {"zod": "file:."}, "scripts": {"preinstall": "./git"}}'
lay .env 'SOFTCOT_DEBUG=1'
lay .npmrc 'registry=http://127.0.0.1:9/'
lay .git/config '[core]
fsmonitor = ${shared}/git'
lay config.toml 'task = "x.js"
reward = ["x.js"]'
lay ${cached}/deno "$sh"
for name in exported.tmp exported.partial exported.incomplete; do ln -s ${mine} $name; done
ln -s ${mine}/none linked
mkdir -p run/checkpoints results sft runs/a/checkpoints/step-000001 adapter
for name in metrics.jsonl samples.jsonl best tests.json; do ln -s ${mine}/kept run/$name; done
for name in sums.json sums-hard-greedy.jsonl results.json settings.json; do ln -s ${mine}/kept results/$name; done
ln -s ${mine}/none sft/model.safetensors
ln -s ${mine}/none sft/config.json
mkdir -p resumed && cp config.toml resumed/
mkfifo runs/a/checkpoints/step-000001/config.json runs/a/config.toml adapter/adapter_config.json fifo.toml fifo.jsonl
at=hub/models--org--name
mkdir -p $at/refs $at/snapshots/${commit} $at/blobs hub/models--org--fifo/refs .locks
printf ${commit} > $at/refs/main
for name in config.json tokenizer.json model.safetensors; do ln -s ${mine}/secret $at/snapshots/${commit}/$name; done
mkfifo hub/models--org--fifo/refs/main
mkfifo token`;
}

/** Runs lines of shell as the other user. */
async function asOther(lines: string, cwd: string): Promise<boolean> {
  const user = [`--reuid=${OTHER}`, `--regid=${OTHER}`, "--clear-groups"];
  const args = [...user, "sh", "-euc", lines];
  return (await new Deno.Command("setpriv", { args, cwd, stderr: "inherit" }).output()).success;
}

/** Starts softcot in the shared folder, as somebody who knows of nothing. */
async function start(args: string[], env: Record<string, string> = {}): Promise<Finished> {
  const desktop = { XDG_RUNTIME_DIR: shared, WAYLAND_DISPLAY: `${shared}/wayland-0`, TMPDIR: shared };
  // Deno, its packages and compiled kernels are there.
  const home = Deno.env.get("HOME");
  const cache = Deno.env.get("DENO_DIR") ?? `${home}/.cache/deno`;
  const own = {
    HF_HOME: mine,
    HOME: `${mine}/home`,
    XDG_CACHE_HOME: `${home}/.cache`,
    DENO_DIR: cache,
    NO_COLOR: "",
  };
  const child = new Deno.Command(`${root}softcot`, {
    ...{ args, cwd: shared, env: { ...desktop, ...own, ...env } },
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  let waited = false;
  const patience = setTimeout(() => {
    waited = true;
    child.kill("SIGKILL");
  }, PATIENCE);
  const done = told(await child.output());
  clearTimeout(patience);
  assert(!waited, `softcot ${args.join(" ")} waits for ever: ${done.stderr}`);
  assert(!(done.stdout + done.stderr).includes("PLANTED RAN"), `softcot ${args.join(" ")}: ${done.stderr}`);
  return done;
}

/** Of ours: every file with its text. */
function kept(): string[] {
  return [...Deno.readDirSync(mine)].filter(({ isFile, isSymlink }) => isFile || isSymlink)
    .map(({ name }) => `${name}: ${Deno.readTextFileSync(`${mine}/${name}`)}`).sort();
}

const short = ["--max-thinking", "2", "--answer-tokens", "2"];
const hub = { HF_HUB_CACHE: `${shared}/hub` };

/** Command lines, what they end with, and what is told. */
const LINES: [args: string[], code: number, told: RegExp, env?: Record<string, string>][] = [
  [["settings"], 0, /gamma/],
  [["eval", "check", "1/2", "0.5"], 0, /equal/],
  [["generate", ASKED, ...short, "--model", model], 0, /./],
  [
    ["train", "--steps", "1", "--out", `${shared}/run`, "--model", model],
    1,
    /it holds other files|Cannot start a run/,
  ],
  [
    ["train", "--resume", "--out", `${shared}/resumed`],
    1,
    /names own code, --task x.js, which has to be named/,
  ],
  [["train", "--config", `${shared}/fifo.toml`], 1, /no regular file/],
  [
    ["eval", "sums", "--limit", "1", "--mode", "hard-greedy", ...short, "--out", `${shared}/results`],
    1,
    /Cannot/,
  ],
  [
    [
      "sft",
      "--steps",
      "1",
      "--batch",
      "2",
      "--width",
      "16",
      "--heads",
      "2",
      "--layers",
      "1",
      "--mlp",
      "32",
      "--out",
      `${shared}/sft`,
    ],
    1,
    /Cannot/,
  ],
  [["model", "export", model, "--out", `${shared}/exported`], 0, /of weights/],
  [["model", "export", model, "--out", `${shared}/linked`], 1, /Cannot export/],
  [["model", "info", "org/name"], 1, /it is a link that leads out of the model's folder/, hub],
  [["model", "info", "org/fifo"], 1, /Cannot find the model/, hub],
  [["model", "export", "org/name", "--out", `${shared}/stolen`], 1, /leads out of the model's folder/, hub],
  [["model", "list", "--runs", `${shared}/runs`], 0, /builtin/, hub],
  [["model", "info", `${shared}/runs/a`], 1, /Cannot/],
  [["model", "pull", "org/name"], 1, /Cannot read the token|no regular file/, {
    HF_TOKEN_PATH: `${shared}/token`,
    HF_ENDPOINT: "http://127.0.0.1:9",
  }],
  [["generate", ASKED, "--adapter", `${shared}/adapter`], 1, /Cannot/],
  [["eval", "check", "--file", `${shared}/fifo.jsonl`], 1, /no regular file/],
  [["doctor"], 0, /small model/],
  [["settings"], 1, /another user's, or others may write there/, { XDG_CACHE_HOME: `${shared}/cache` }],
];

for (const [args, code, expected, env] of LINES) {
  Deno.test({
    name: `with another user's things around: softcot ${args.join(" ").replaceAll(folder, "")}`,
    ignore: !isTwo,
    fn: async () => {
      const before = kept();
      // It listens, and never says a word.
      using _silent = Deno.listen({ transport: "unix", path: `${shared}/wayland-0` });
      Deno.chownSync(`${shared}/wayland-0`, OTHER, OTHER);
      try {
        const done = await start(args, env);
        assertEquals(done.code, code, done.stderr);
        assertMatch(done.stdout + done.stderr, expected);
        assert(!(done.stdout + done.stderr).includes("hf_Ab3"), "a secret was told");
      } finally {
        Deno.removeSync(`${shared}/wayland-0`);
      }
      assertEquals(kept(), before);
    },
  });
}

Deno.test({
  name:
    "nothing of the other user's ran, and nothing of ours lies in the shared folder but what was asked for",
  ignore: !isTwo,
  fn: () => {
    const ours: string[] = [];
    const walk = (at: string) => {
      for (const { name, isDirectory } of Deno.readDirSync(at)) {
        const path = `${at}/${name}`;
        if (Deno.lstatSync(path).uid !== OTHER) ours.push(path.slice(shared.length + 1));
        if (isDirectory) walk(path);
      }
    };
    walk(shared);
    assertEquals(ours.filter((path) => !path.startsWith("exported/")), ["exported"]);
    assert(ours.includes("exported/model.safetensors"));
    assert(Deno.lstatSync(`${shared}/exported`).isDirectory);
  },
});
