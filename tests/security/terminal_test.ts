/** No character that a terminal acts on, or that reorders a line, comes out: wherever a name or a text reaches a person. */
import { assert, assertEquals } from "@std/assert";
import { createProgress } from "../../cli/terminal/progress.ts";
import { reportError } from "../../cli/terminal/report_error.ts";
import { safeJson, safeLine, safeText } from "../../cli/terminal/safe_text.ts";
import { hideSecrets } from "../../cli/terminal/hide_secrets.ts";
import { table } from "../../cli/terminal/table.ts";
import { describeSample } from "../../cli/train/describe_sample.ts";
import { UserError } from "../../gpu/errors.ts";
import { PERMISSIONS } from "../../cli/permissions/permission_table.ts";
import { SMALL_MODEL } from "../cli/support/small_model.ts";
import { trainArgs } from "../cli/support/train_args.ts";
import { modelFolder, thinker } from "../cli/support/model_folder.ts";
import { runSoftcot } from "../cli/support/run_softcot.ts";
import { sourcesOf } from "../support/import_graph.ts";
import { root } from "../support/places.ts";

/** Clears the screen, sets the clipboard, by C0 and by C1; turns the line around; breaks lines in two ways; a hidden tag. */
const BAD = "\x1b[2J\x1b]52;c;eA==\x07\x9b2J\x9d52;c;eA==\x9c\u202eabc\u2066\u200f\u2028\x7f\u{e0041}\r";
const UNSAFE =
  // deno-lint-ignore no-control-regex
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u;
const harmless = (text: string, where: string) =>
  assert(
    !UNSAFE.test(text),
    `${where}: ${JSON.stringify(text.match(UNSAFE)?.[0])} in ${JSON.stringify(text)}`,
  );

const folder = await modelFolder(thinker);
const model = `${folder}/model`;
/** A question that the small model can read. */
const ASKED = "Sam has 3 coins. How many coins does Sam have?";

const write = (path: string, text: string) => {
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  Deno.writeTextFileSync(path, text);
  return path;
};

/** The same as the name of a file. */
const NAME = BAD.replaceAll(/[/\r]/g, "");
const SHORT = ["--max-thinking", "2", "--answer-tokens", "2"];

/** A copy of the small model with some of its files in another form. */
function variant(name: string, files: Record<string, (text: string) => string>): string {
  const place = `${folder}/${name}`;
  Deno.mkdirSync(place, { recursive: true });
  for (const { name: file } of Deno.readDirSync(model)) {
    Deno.copyFileSync(`${model}/${file}`, `${place}/${file}`);
  }
  for (const [file, change] of Object.entries(files)) {
    const before = [...Deno.readDirSync(place)].some(({ name }) => name === file)
      ? Deno.readTextFileSync(`${place}/${file}`)
      : "";
    Deno.writeTextFileSync(`${place}/${file}`, change(before));
  }
  return place;
}

/** The token " +" is one that the small model always writes; no question needs it. */
const spoken = variant("spoken", {
  "tokenizer.json": (text) => text.replaceAll('" +"', JSON.stringify(` ${BAD}`)),
});
const json = JSON.stringify(BAD).replace("\x7f", "\\u007f");
const question = JSON.stringify({ question: `1 + 1? ${BAD}`, answer: `2 ${BAD} #### 2` });
const data = write(`${folder}/data/test.jsonl`, `${question}\n`.repeat(2));
const generate = ["generate", ASKED, "--task", "sums", "--thinking", "hard", "--model"];

/** Every place where something from elsewhere is shown, with a command that shows it; by the name of what is shown. */
const PLACES: Record<string, string[]> = {
  "text as it is generated": [...generate, spoken],
  "tokens of the thinking": [...generate, spoken, "--show-thinking"],
  "text in JSON": [...generate, spoken, "--json", "--show-thinking"],
  "several texts": [...generate, spoken, "--samples", "2"],
  "questions of a task": ["data", "show", "gsm8k", "--data", data, "--split", "test"],
  "questions in JSON": ["data", "show", "gsm8k", "--data", data, "--split", "test", "--json"],
  "names of runs": ["model", "list", "--runs", `${folder}/runs`],
  "a setting": ["settings", "--model", BAD],
  "a setting in JSON": ["settings", "--model", BAD, "--json"],
  "a task's name": ["eval", BAD],
  "a model's name": ["model", "info", BAD],
  "a model's folder": ["model", "info", variant(`a${BAD.replaceAll("/", "")}`, {})],
  "a flag": ["generate", `--${BAD}`],
  "a command": [BAD],
  "a key of TOML": ["train", "--config", write(`${folder}/a.toml`, `${json} = 1`)],
  "a task file's key": ["eval", write(`${folder}/b.toml`, `${json} = 1`)],
  "damaged JSON": ["model", "info", variant("d", { "config.json": () => `{"a": ${BAD}` })],
  "an architecture": ["model", "info", variant("e", { "config.json": () => `{"model_type": ${json}}` })],
  "a tensor's name": ["model", "info", withTensor("f")],
  "an index": ["model", "info", withIndex("g")],
  "a template's own error": [
    ...generate,
    variant("h", { "chat_template.jinja": () => `{{ raise_exception(${json}) }}` }),
    "--chat-template",
  ],
  "a template that cannot be read": [
    ...generate,
    variant("i", { "chat_template.jinja": () => `{% ${BAD} %}` }),
    "--chat-template",
  ],
  "an adapter's base": [...generate, "builtin", "--adapter", withAdapter("j")],
  "a tokenizer's pattern": [
    "model",
    "info",
    variant("k", { "tokenizer.json": (text) => text.replace('"Regex"', json) }),
  ],
  "a column": ["eval", "gsm8k", "--data", write(`${folder}/l/test.csv`, `${BAD.replace("\r", "")},b\n1,2\n`)],
  "a line of JSON": ["eval", "gsm8k", "--data", write(`${folder}/m/test.jsonl`, `${BAD}\n`)],
  "answers to check": ["eval", "check", BAD, `${BAD}x`],
  "a file of pairs": ["eval", "check", "--file", write(`${folder}/n.jsonl`, pairs())],
  "a model to pull": ["model", "pull", BAD],
  "data to pull": ["data", "pull", BAD],
  "a model to verify": ["model", "verify", BAD],
  "where a model is exported": ["model", "export", model, "--out", `${folder}/e${NAME}`],
  "a model that is exported": ["model", "export", BAD, "--out", `${folder}/x`],
  "an evaluation's model": [
    "eval",
    "sums",
    "--limit",
    "1",
    "--mode",
    "hard-greedy",
    ...SHORT,
    "--model",
    variant(`b${NAME}`, {}),
  ],
  "an evaluation's folder": ["eval", "sums", "--out", write(`${folder}/p${NAME}`, "")],
  "a name of a task's file": ["data", "show", write(`${folder}/${NAME}.toml`, "file = 1")],
  "a run's folder": trainArgs({ model, steps: 1, "validate-every": 0, out: `${folder}/t${NAME}` }),
  "a run that is gone on with": ["train", "--resume", "--out", `${folder}/t${NAME}`],
  "a run that is not there": ["train", "--resume", "--out", BAD],
  "a reward": trainArgs({ model, steps: 1, reward: BAD, out: `${folder}/u` }),
  "what own code says": trainArgs({
    ...{ model, steps: 1, "validate-every": 0, out: `${folder}/w` },
    reward: write(
      `${folder}/says.ts`,
      `console.log(${json}); console.error(${json}); export default () => 1;`,
    ),
  }),
  "an error of own code": trainArgs({
    ...{ model, steps: 1, "validate-every": 0, out: `${folder}/y` },
    reward: write(`${folder}/throws.ts`, `export default () => { throw new Error(${json}); };`),
  }),
  "where sft writes": ["sft", ...SMALL_MODEL, "--steps", "1", "--batch", "2", "--out", `${folder}/s${NAME}`],
  "a model that sft begins from": ["sft", "--model", BAD, "--out", `${folder}/v`],
  "bench's model": ["bench", "--model", BAD, "--parts", "generation", "--rounds", "1"],
  "a forecast's model": ["forecast", "--model", BAD],
  "a forecast's model by a file": [
    ...["forecast", "--prompt", "2", "--max-thinking", "2", "--answer-tokens", "2", "--group", "2"],
    ...["--model", variant(`q${NAME}`, {})],
  ],
  "a forecast's rates": ["forecast", "--rates", write(`${folder}/r${NAME}`, `{${json}: 1}`)],
  "a device": ["doctor", "--gpu", BAD],
  "runs that are compared": ["compare", BAD],
  "a sweep's file": ["sweep", `${folder}/${NAME}.no`],
  "a key of a sweep": ["sweep", write(`${folder}/sweep.toml`, `${json} = 1`)],
  "a sweep of claims": ["sweep", "claims", BAD],
  "settings of sft": ["settings", "sft", "--out", BAD],
  "a folder to view": ["view", BAD],
  "a run to report": ["report", `${folder}/t${NAME}`, "--json"],
  "a run to report that is not there": ["report", BAD, "--out", `${folder}/q.html`],
  "where a report is written": ["report", `${folder}/t${NAME}`, "--out", `${folder}/r${NAME}.html`],
  "a server's address": ["worker", BAD],
  "a model to serve": ["serve", "--model", BAD],
  "a model to push": ["model", "push", BAD, "me/it"],
  "what a run sets": [...generate, variant("o", { "config.toml": () => `system = ${json}` })],
};

function withTensor(name: string): string {
  const place = variant(name, {});
  const bytes = Deno.readFileSync(`${place}/model.safetensors`);
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const end = bytes.length - 8 - length;
  header[`model.layers.0.${BAD}`] = { dtype: "F32", shape: [0], data_offsets: [end, end] };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const size = new Uint8Array(8);
  new DataView(size.buffer).setBigUint64(0, BigInt(text.length), true);
  const whole = new Uint8Array(8 + text.length + bytes.length - 8 - length);
  whole.set(size);
  whole.set(text, 8);
  whole.set(bytes.subarray(8 + length), 8 + text.length);
  Deno.writeFileSync(`${place}/model.safetensors`, whole);
  return place;
}

function withIndex(name: string): string {
  const index = `{"weight_map": {${json}: ${json}}}`;
  const place = variant(name, { "model.safetensors.index.json": () => index });
  Deno.removeSync(`${place}/model.safetensors`);
  return place;
}

function withAdapter(name: string): string {
  write(
    `${folder}/${name}/adapter_config.json`,
    `{"peft_type": ${json}, "base_model_name_or_path": ${json}}`,
  );
  return `${folder}/${name}`;
}

function pairs(): string {
  return `{"gold": ${json}, "prediction": ${json}}\n`;
}

// A run whose name is what is told of it.
const run = `${folder}/runs/r${BAD.replaceAll("/", "")}/checkpoints/step-000001`;
Deno.mkdirSync(run, { recursive: true });
for (const { name } of Deno.readDirSync(model)) Deno.copyFileSync(`${model}/${name}`, `${run}/${name}`);

for (const [place, args] of Object.entries(PLACES)) {
  Deno.test(`nothing that a terminal acts on comes out: ${place}`, async () => {
    if (args.some((arg) => arg.includes("\0"))) throw new Error("no argument can hold that");
    const { stdout, stderr } = await runSoftcot(args);
    const all = stdout + stderr;
    harmless(all, place);
    assert(/\\u001b|\\u009b|\\u202e/.test(all), `nothing of it was shown: ${all}`);
    if (args.includes("--json")) JSON.parse(stdout);
  });
}

Deno.test("progress, samples, tables and errors go through the same function", () => {
  let written = "";
  const stream = { write: (text: string) => void (written += text), columns: () => 0, now: () => 0 };
  using progress = createProgress({ label: BAD, total: 2, stream });
  progress.update(1, { [BAD]: BAD });
  const texts = { question: BAD, gold: BAD, thinking: BAD, forced: BAD, answer: BAD, boxed: BAD };
  const sample = { step: 1, ...texts, reward: 1 };
  progress.log(describeSample(sample as Parameters<typeof describeSample>[0]));
  progress.show(BAD, true);
  reportError(new UserError(BAD, BAD), { write: (line) => written += line + "\n" });
  reportError(new Error(BAD), { write: (line) => written += line + "\n", debug: true });
  written += table([[BAD, `${BAD}\nx`]], { header: [BAD, "b"] });
  harmless(written, "terminal");
});

Deno.test("what is shown is told as escapes, and everything else stays as it is", () => {
  assertEquals(safeText("a\tb\r\n\x1b[0mc"), "a\tb\n\\u001b[0mc");
  assertEquals(safeLine("a\tb\nc"), "a\\tb\\nc");
  const plain = "Grüße, 数学, עברית, العربية, 👩‍👩‍👧, ∑ é\n";
  assertEquals([safeText(plain), hideSecrets(plain)], [plain, plain]);
  const data = { [BAD]: [BAD, 1, null] };
  harmless(safeJson(data), "JSON");
  assertEquals(JSON.parse(safeJson(data)), data);
});

Deno.test("secrets are hidden in every form that a message may have", () => {
  const token = "hf_" + "Ab3".repeat(10);
  for (
    const text of [
      `Authorization: Bearer ${token}`,
      token,
      `"${token}"`,
      `http://me:${token}@proxy:80/`,
      `https://cdn.example/x?X-Amz-Signature=${token}&a=b`,
      `https://cdn.example/x?a=b&Signature=${token}~`,
      `bearer ${token.slice(3)}`,
    ]
  ) assert(!hideSecrets(text).includes(token.slice(3)), hideSecrets(text));
});

Deno.test("nothing that a terminal acts on comes out: folders of the cache", async () => {
  const place = `${folder}/c${NAME}`;
  write(`${place}/deno-1.2.3/deno`, "");
  for (const command of ["list", "clear"]) {
    const { stdout, stderr } = await runSoftcot(["cache", command], {
      ...{ SOFTCOT_CACHE: place, XDG_CACHE_HOME: place, HOME: place, TMPDIR: place },
    });
    harmless(stdout + stderr, command);
    assert(/\\u001b/.test(stdout + stderr), stdout + stderr);
  }
});

/**
 * Every file that says something to people, and the command whose places above make it say what comes from elsewhere. What a file says
 * that is in no such command is its own words alone.
 */
const OUTPUTS: Record<string, string> = {
  "cli/bench/bench.ts": "bench",
  "cli/cache/cache_clear.ts": "cache",
  "cli/cache/cache_list.ts": "cache",
  "cli/compare/compare.ts": "compare",
  "cli/data/data_list.ts": "own words",
  "cli/data/data_pull.ts": "data pull",
  "cli/data/data_show.ts": "data show",
  "cli/doctor/cluster.ts": "own words",
  "cli/doctor/doctor.ts": "doctor",
  "cli/eval/eval.ts": "eval",
  "cli/eval/eval_check.ts": "eval check",
  "cli/eval/load_watched.ts": "eval",
  "cli/eval/measure_choices.ts": "own words",
  "cli/eval/measure_generation.ts": "own words",
  "cli/eval/plan_tasks.ts": "eval",
  "cli/forecast/forecast.ts": "forecast",
  "cli/generate/generate.ts": "generate",
  "cli/generate/show_generated.ts": "generate",
  "cli/licenses/licenses.ts": "own words",
  "cli/model/model_export.ts": "model export",
  "cli/model/model_info.ts": "model info",
  "cli/model/model_list.ts": "model list",
  "cli/model/model_pull.ts": "model pull",
  "cli/model/model_push.ts": "model push",
  "cli/model/model_verify.ts": "model verify",
  "cli/pull/pull_watched.ts": "model pull",
  "cli/report/report.ts": "report",
  "cli/serve/completions.ts": "own words",
  "cli/serve/serve.ts": "serve",
  "cli/settings/define_command.ts": "settings",
  "cli/settings_command.ts": "settings",
  "cli/sft/sft.ts": "sft",
  "cli/sweep/claims/claims_command.ts": "sweep",
  "cli/sweep/do_sweep.ts": "sweep",
  "cli/sweep/run_sweep.ts": "sweep",
  "cli/sweep/sweep.ts": "sweep",
  "cli/sweep/tell_plan.ts": "sweep",
  "cli/train/begin_run.ts": "train",
  "cli/train/test_modes.ts": "train",
  "cli/train/train.ts": "train",
  "cli/train/train_watched.ts": "train",
  "cli/version.ts": "own words",
  "cli/view/open_browser.ts": "own words",
  "cli/view/view.ts": "view",
  "cli/view/watched_places.ts": "own words",
  "cli/vulkan/name_nvidia.ts": "own words",
  "cli/vulkan/offer_driver.ts": "own words",
  "cli/worker/worker.ts": "worker",
  "cli/worker/worker_flags.ts": "worker",
};

Deno.test("the places cover every file that says something, and every command", () => {
  const writers = sourcesOf("cli").filter((path) =>
    !path.startsWith("cli/terminal/") &&
    /\b(print|say|stream|tell)\(|progress\.(log|show)\(/.test(Deno.readTextFileSync(`${root}${path}`))
  );
  assertEquals(writers.sort(), Object.keys(OUTPUTS).sort());
  const lines = [...Object.values(PLACES).map((args) => args.join(" ")), "cache list"];
  const covered = (command: string) => lines.some((line) => line.startsWith(command));
  const commands = new Set([...Object.keys(PERMISSIONS), ...Object.values(OUTPUTS)]);
  const bare = [...commands].filter((command) => !covered(command));
  // Own words alone: what is here, and how commands are used. Names that shells complete have none of these characters
  // (tests/cli/completions_test.ts).
  assertEquals(bare.sort(), [
    "cache clear",
    "completions",
    "data list",
    "help",
    "licenses",
    "own words",
    "settings eval",
    "settings generate",
    "version",
  ]);
});

Deno.test("nothing is written to a terminal but by the files that make it safe", () => {
  const allowed = [
    "cli/terminal/print.ts",
    "cli/terminal/progress_stream.ts",
    "cli/terminal/report_error.ts",
    "cli/terminal/write_out.ts",
    // JSON, which is escaped there.
    "cli/settings/define_command.ts",
    // A question that is always the same, with a yes or no behind it on the line.
    "cli/vulkan/offer_driver.ts",
    // Pipes between own code's process and the command; what it says is on the console, as below.
    "eval/own_code/own_code.ts",
    "eval/own_code/own_code_guard.ts",
    "eval/own_code/own_code_host.ts",
    "eval/own_code/own_process.ts",
    // A warning on the console, which is made safe by `guardConsole`.
    "gpu/warn_once.ts",
    // A program of its own, for those who make the embedded model.
    "model/builtin/embed_weights.ts",
  ];
  const writers = ["cli", "eval", "model", "rl", "gpu"].flatMap(sourcesOf).filter((path) =>
    /console\.(?!consoleSize)|std(out|err)\.(write|writable)|process\.std(out|err)\.write|\bwrite(Message|Result)\b/
      .test(
        Deno.readTextFileSync(`${root}${path}`),
      )
  );
  assertEquals(writers.sort(), allowed.sort());
});
