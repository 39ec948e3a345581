/**
 * Every command that README shows, with small sizes, as the launcher starts it: each works with what permissions it has, without a question,
 * and without a network, but for pull.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { loadTokenizer } from "../../model/tokenizer/tokenizer.ts";
import { writeModel } from "../cli/support/model_folder.ts";
import { type Finished, told } from "../cli/support/run_softcot.ts";
import { byteLevelFiles } from "../model/support/byte_level_files.ts";
import { type FakeHub, fakeHub } from "../model/support/fake_hub.ts";
import { randomModel, SMALL } from "../model/support/small_models.ts";
import { testFolder } from "../support/folders.ts";
import { root } from "../support/places.ts";

const readme = Deno.readTextFileSync(`${root}README.md`);
const fixtures = `${root}tests/eval/fixtures`;
const SMOLLM = "HuggingFaceTB/SmolLM2-135M-Instruct";

const folder = await testFolder();
const work = `${folder}/work`;
Deno.mkdirSync(`${folder}/cache`, { recursive: true });
Deno.mkdirSync(work);

/** Flags of short runs. */
const THINK = { "--max-thinking": "4", "--answer-tokens": "4" };
const TRAIN = {
  ...THINK,
  ...{ "--steps": "1", "--questions": "1", "--group": "2", "--micro-rows": "64" },
  ...{ "--validate-every": "1", "--validation-questions": "1", "--test-questions": "0" },
};
const EVAL = { ...THINK, "--limit": "1", "--samples": "1" };

/** What stands in README, without its comments; and what makes it short. `null`: what is tried elsewhere, or nowhere. */
const COMMANDS: Record<string, Record<string, string> | null> = {
  "./softcot serve --model runs/sums-soft": null,
  // tests/cli/view and tests/cli/report try them: the page is made of packages.
  "./softcot view --open": null,
  "./softcot report runs/sums-soft --out report.html": null,
  "./softcot train": { ...TRAIN, "--test-questions": "2" },
  './softcot generate --show-thinking "Sam has 11 coins. Sam doubles them. Sam loses 5. Sam finds 12 more. How many coins does Sam have?"':
    THINK,
  './softcot generate --model runs/sums-soft --show-thinking "Sam has 11 coins. Sam doubles them. ..."': null,
  "./softcot sft --task sums-slips --model builtin --steps 700 --lr 2e-3 --noise 1,0.33 --seed 2 --out slips":
    {
      ...{ "--steps": "1", "--batch": "1" },
    },
  "./softcot train --task sums-slips --model slips": TRAIN,
  "./softcot eval sums-slips owners --model runs/sums-slips-soft --samples 32": EVAL,
  [`./softcot model pull ${SMOLLM}`]: {},
  "./softcot data pull gsm8k": {},
  [`./softcot eval gsm8k --model ${SMOLLM} --mode hard-greedy,soft-greedy --limit 20`]: EVAL,
  [`./softcot train --task gsm8k --model ${SMOLLM} --lora --out runs/gsm8k`]: TRAIN,
  "./softcot eval gsm8k math-500 --model runs/gsm8k --samples 32 --out results": {
    ...EVAL,
    "--mode": "hard-greedy",
  },
  "./softcot model export runs/gsm8k --out trained.gguf --dtype q8_0": {},
  "softcot eval ./capitals.toml --model MODEL": { ...EVAL, "--model": SMOLLM, "--mode": "hard-greedy" },
  "softcot eval ./squares.ts --model MODEL": { ...EVAL, "--model": SMOLLM, "--mode": "hard-greedy" },
  "softcot sft --model HuggingFaceTB/SmolLM2-135M-Instruct --data chats.jsonl --lr 1e-5 --batch 8 --out tuned":
    {
      ...{ "--steps": "1", "--batch": "1" },
    },
  // tests/learners and tests/cli/train/learners_test.ts try several: they want Open MPI.
  "softcot train --learners 8 --questions 16 --task gsm8k --model MODEL": null,
  "softcot train --resume --out runs/gsm8k --learners 4": null,
  "softcot forecast --model Llama-3.1-8B --learners 64 --shard-optimizer --link 50": { "--group": "2" },
  // tests/cli/worker tries them: they want a NATS server.
  "softcot worker nats://10.0.0.5": null,
  "softcot train --workers nats://10.0.0.5 --serve-weights 10.0.0.7 --task gsm8k --model MODEL": null,
  "softcot eval gsm8k --model runs/gsm8k --workers nats://10.0.0.5 --serve-weights 10.0.0.7": null,
  "softcot train --task ./squares.ts --model MODEL": { ...TRAIN, "--model": SMOLLM },
  "softcot train --reward task,./brevity.ts=0.2": TRAIN,
  "softcot sweep ways.toml --jobs 2": {},
  "softcot compare sweeps/ways": {},
  "softcot compare sweeps/ways --against untrained --checkpoints --mode hard-sample --csv": {},
  // A quarter of an hour at least; tests/cli/sweep/claims has it small.
  "./softcot sweep claims --jobs 2": null,
};

/** The rows of README's table of commands, as command lines. */
const TABLE: Record<string, string[][]> = {
  train: [["train", "--resume", "--out", "runs/sums-soft"]],
  "eval [TASK...]": [],
  "eval check GOLD ANSWER": [["eval", "check", "\\sqrt{8}", "2\\sqrt{2}"], [
    "eval",
    "check",
    "--file",
    "pairs.jsonl",
  ]],
  'generate "..."': [["generate", "--raw", "--max-tokens", "2", "--model", "trained.gguf", "one"]],
  "data list, pull, show": [["data", "list"], ["data", "show", "gsm8k"], ["data", "show", "./squares.ts"]],
  // tests/cli/model tries pushing: here is no token.
  // tests/cli/sweep and tests/cli/compare try them.
  "sweep FILE, claims": [],
  "compare RUN...": [],
  "model list, pull, info, verify, export, push": [
    ["model", "list"],
    ["model", "info", SMOLLM],
    ["model", "verify", SMOLLM],
    ["model", "export", "slips", "--out", "exported"],
  ],
  // tests/cli/serve tries it: here there may be no network.
  serve: [],
  // tests/cli/worker tries it: a server of NATS is needed.
  worker: [],
  "view [FOLDER...]": [],
  "report RUN...": [["report", "runs/sums-soft", "--json"]],
  sft: [],
  "settings, eval, generate, sft": [
    ["settings", "--config", "runs/sums-soft/config.toml"],
    ["settings", "eval", "--json"],
  ],
  bench: [["bench", "--parts", "products", "--rounds", "1", "--rows", "8"]],
  forecast: [["forecast", "--group", "2", "--json"]],
  doctor: [["doctor"]],
  "completions bash, zsh, fish": [["completions", "bash"], ["completions", "fish"]],
  "version, licenses": [["version"], ["licenses"]],
  "cache list, clear": [["cache", "list"], ["cache", "clear"]],
};

/** The command lines in README's blocks of code. */
function shownCommands(): string[] {
  const code = readme.split("\n").filter((line) => line.startsWith("    ")).map((line) => line.trim());
  return code.flatMap((line) => {
    const named = line.includes("->") ? line.slice(line.indexOf("->") + 2).split(";") : [line];
    return named.map((one) => one.replace(/\s+#.*$/, "").replace(/^\$ /, "").trim());
  }).filter((line) => /^(\.\/)?softcot (?!deno )/.test(line));
}

/** A block of README, by the file that its first line names. */
function block(name: string): string {
  const from = readme.indexOf("\n", readme.search(new RegExp(`^ {4}(#|//) ${name} +->`, "m"))) + 1;
  const lines = readme.slice(from).split("\n");
  const end = lines.findIndex((line) => line !== "" && !line.startsWith("    "));
  return lines.slice(0, end).map((line) => line.slice(4)).join("\n");
}

const lay = (name: string, text: string) => Deno.writeTextFileSync(`${work}/${name}`, text);
lay("capitals.toml", block("capitals.toml"));
lay("capitals.jsonl", '{"q": "Of France?", "a": {"city": "Paris"}}\n');
lay("chats.jsonl", '{"prompt": "2 + 3 =", "completion": " 5"}\n');
lay("squares.ts", block("squares.ts"));
lay("brevity.ts", block("brevity.ts"));
lay("pairs.jsonl", '{"gold": "1/2", "prediction": "0.5"}\n');
lay(
  "ways.toml",
  block("ways.toml").replace("700", "1").replace("[0, 1, 2]", "[0]").replace("samples = 32", "samples = 1")
    .replace(', "owners"]', "]").replace("at =", 'limit = 1\nmode = ["hard-sample"]\nmax-thinking = 4\nat =')
    .replace(
      "[fixed]",
      "[fixed]\nsteps = 1\nquestions = 1\ngroup = 2\nmax-thinking = 4\nvalidate-every = 0\ntest-questions = 2",
    ),
);

// Cuts as SmolLM2's tokenizer does, so that GGUF has a name for it.
const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
const cut = { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, byteLevel] };
const tokenizer = loadTokenizer(byteLevelFiles({ special: ["<|endoftext|>"] }, { pre_tokenizer: cut }));
const shape = {
  ...{ ...SMALL, vocabSize: 260, hiddenSize: 32, layers: 1, heads: 2, kvHeads: 1, headDim: 16 },
  ...{ intermediateSize: 32, maxPosition: 2048, eosTokenIds: [256], usedVocabSize: 257 },
};
await writeModel(`${folder}/published`, (gpu) => randomModel(gpu, shape), tokenizer);

/** Whether a process can be cut off from every network here. */
const hidesNetwork = Deno.build.os === "linux" &&
  await new Deno.Command("unshare", { args: ["-n", "true"], stderr: "null" }).output()
    .then(({ success }) => success, () => false);
if (!hidesNetwork) {
  console.log("commands keep the network of this machine: unshare -n, which takes it away, is not allowed");
}

async function start(args: string[], env: Record<string, string> = {}, network = false): Promise<Finished> {
  const home = Deno.env.get("HOME");
  const own = {
    ...{ NO_COLOR: "", HF_HUB_CACHE: `${folder}/hub`, HF_HUB_OFFLINE: "", HF_TOKEN: "" },
    // What `cache clear` empties is none of anybody's; Deno comes from the PATH.
    ...{
      XDG_CACHE_HOME: `${folder}/cache`,
      TMPDIR: `${folder}/cache`,
      DENO_DIR: Deno.env.get("DENO_DIR") ?? `${home}/.cache/deno`,
    },
    MESA_SHADER_CACHE_DIR: `${Deno.env.get("XDG_CACHE_HOME") ?? `${home}/.cache`}`,
  };
  const [program, ...first] = network || !hidesNetwork
    ? [`${root}softcot`]
    : ["unshare", "-n", `${root}softcot`];
  const options = { cwd: work, env: { ...own, ...env }, stdin: "null" } as const;
  return told(await new Deno.Command(program, { ...options, args: [...first, ...args] }).output());
}

async function works(args: string[], env: Record<string, string> = {}, network = false): Promise<Finished> {
  const done = await start(args, env, network);
  assertEquals(done.code, 0, `softcot ${args.join(" ")}: ${done.stderr}`);
  assert(
    !/NotCapable|Requires .* access|prompt/i.test(done.stderr.replace(/^prompt .*$|reading prompts/gm, "")),
    done.stderr,
  );
  return done;
}

/** The words of a line, with values in the place of its own or behind it. */
function shortened(line: string, small: Record<string, string>): string[] {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare).slice(1);
  for (const [flag, value] of Object.entries(small)) {
    const at = words.indexOf(flag);
    if (at < 0) words.push(flag, value);
    else words[at + 1] = value;
  }
  return words;
}

/** What the hub has under a name. */
function published(line: string): FakeHub {
  if (line.includes("gsm8k")) {
    const paths = ["main/train", "main/test"].map((part) => `${part}-00000-of-00001.parquet`);
    const files = paths.map((path) => [path, Deno.readFileSync(`${fixtures}/gsm8k/hub/${path}`)]);
    return fakeHub(Object.fromEntries(files), "openai/gsm8k");
  }
  const names = [...Deno.readDirSync(`${folder}/published`)].map(({ name }) => name);
  const files = names.map((name) => [name, Deno.readFileSync(`${folder}/published/${name}`)]);
  return fakeHub(Object.fromEntries(files), SMOLLM);
}

Deno.test("README shows the commands that are tried here, and its table names them all", () => {
  assertEquals([...new Set(shownCommands())].sort(), Object.keys(COMMANDS).sort());
  const rows = readme.slice(readme.indexOf("| command | what it does |")).split("\n\n")[0].split("\n").slice(
    2,
  );
  const named = rows.map((row) => row.split(" | ")[0].slice(2).replaceAll("`", "").replace(/^softcot /, ""));
  assertEquals(named.sort(), Object.keys(TABLE).sort());
});

for (const [line, small] of Object.entries(COMMANDS)) {
  if (small === null) continue;
  Deno.test(`README: ${line}`, async () => {
    const args = shortened(line, small);
    if (!args.includes("pull")) return void await works(args);
    await using hub = published(line);
    await works(args, { HF_ENDPOINT: hub.endpoint }, true);
    // It tries for a quarter of a minute.
    if (hidesNetwork && line.includes("model pull")) {
      // What is there would be given without a network, too.
      const { code, stderr } = await start(args, {
        HF_ENDPOINT: hub.endpoint,
        HF_HUB_CACHE: `${folder}/none`,
      });
      assertEquals(code, 1);
      assertStringIncludes(stderr, "Cannot");
    }
    if (!line.includes("gsm8k")) return;
    await using other = fakeHub(
      { "test.jsonl": Deno.readFileSync(`${fixtures}/math-500/hub/test.jsonl`) },
      "HuggingFaceH4/MATH-500",
    );
    await works(["data", "pull", "math-500"], { HF_ENDPOINT: other.endpoint }, true);
  });
}

for (const args of Object.values(TABLE).flat()) {
  Deno.test(`README's table: softcot ${args.join(" ")}`, async () => {
    await works(args);
  });
}
