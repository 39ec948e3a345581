/** `softcot sft` as a process: the model it writes, its output, and what it says to mistakes. */
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { claimFolder } from "../../../cli/sft/claim_folder.ts";
import { UserError } from "../../../gpu/errors.ts";
import { isFolder } from "../../../model/files/on_disk.ts";
import { loadTokenizer } from "../../../model/tokenizer/tokenizer.ts";
import { openWeights } from "../../../model/formats/safetensors.ts";
import { testFolder } from "../../support/folders.ts";
import { fails, succeed } from "../support/run_softcot.ts";
import { SMALL_MODEL } from "../support/small_model.ts";
import { stopWhen } from "../support/stop_when.ts";

const folder = await testFolder();
const sft = ["sft", ...SMALL_MODEL, "--batch", "8", "--warmup", "5", "--lr", "1e-2"];

const filesOf = (out: string) => [...Deno.readDirSync(out)].map((entry) => entry.name).sort();
const FILES = ["config.json", "model.safetensors", "softcot.json", "tokenizer.json", "tokenizer_config.json"];

Deno.test("sft writes a Hugging Face model and tells what it did; the same seed gives the same bytes", async () => {
  const [out, again, other] = ["a", "b", "c"].map((name) => `${folder}/${name}`);
  const { stdout, stderr } = await succeed([...sft, "--steps", "40", "--out", out]);
  assertMatch(stdout, new RegExp(`^3888 parameters, 40 updates, loss \\d\\.\\d{4}; written to ${out}\n$`));
  assertMatch(stderr, /^sft +1\/40 .*loss/m);
  assertEquals(filesOf(out), FILES);
  const config = JSON.parse(Deno.readTextFileSync(`${out}/config.json`));
  assertEquals([config.architectures, config.hidden_size, config.num_hidden_layers, config.torch_dtype], [
    ["LlamaForCausalLM"],
    16,
    1,
    "float32",
  ]);
  assertEquals(loadTokenizer(out).decode(loadTokenizer(out).encode("\\boxed{9}")), "\\boxed{9}");

  const quiet = await succeed([...sft, "--steps", "40", "--out", again, "--json", "--quiet"]);
  assertEquals(quiet.stderr, "");
  const { loss, parameters, embeddingRms, ...rest } = JSON.parse(quiet.stdout);
  assertEquals([parameters, rest], [3888, { out: again, steps: 40 }]);
  assertStringIncludes(stdout, `loss ${loss.toFixed(4)}`);
  assertEquals(JSON.parse(Deno.readTextFileSync(`${again}/softcot.json`)), { embeddingRms });
  for (const name of FILES) {
    assertEquals(Deno.readFileSync(`${again}/${name}`), Deno.readFileSync(`${out}/${name}`));
  }

  await succeed([...sft, "--steps", "40", "--out", other, "--seed", "1"]);
  assert(Deno.readTextFileSync(`${other}/softcot.json`) !== Deno.readTextFileSync(`${out}/softcot.json`));
});

Deno.test("the loss falls, and falls further from a model that is given", async () => {
  const [out, further] = [`${folder}/first`, `${folder}/further`];
  const lossOf = async (args: string[]) => JSON.parse((await succeed([...args, "--json"])).stdout).loss;
  // Chance is ln 75 = 4.3 nats.
  const before = await lossOf([...sft, "--steps", "1", "--out", `${folder}/one`]);
  const after = await lossOf([...sft, "--steps", "60", "--out", out]);
  assert(before > 4 && before < 4.6 && after < 2.5, `${before} to ${after}`);
  const args = ["sft", "--model", out, "--steps", "20", "--batch", "8", "--seed", "7", "--out", further];
  const last = await lossOf([...args, "--dtype", "f16"]);
  assert(last < after + 0.2, `${after} to ${last}`);
  const file = openWeights(further);
  const types = new Set([...file.tensors.values()].map(({ dtype }) => dtype));
  file.close();
  assertEquals([...types], ["F16"]);
});

Deno.test("Ctrl-C writes the model as far as it came", async () => {
  const out = `${folder}/stopped`;
  const args = [...sft, "--steps", "1000000", "--out", out];
  const { status, stderr } = await stopWhen(args, (said) => /^sft +1\//m.test(said), "SIGINT");
  assertStringIncludes(stderr, "Stopping after this update, then writing the model.");
  assertEquals(status.code, 130, stderr);
  assertStringIncludes(stderr, `Go on with: softcot sft --resume --out ${out}\n`);
  assertEquals(filesOf(out), [...FILES, "unfinished"]);
  await fails([...sft, "--out", out], 1, "it holds an unfinished one", "--resume");
});

Deno.test("a file of one's own: messages and completions; killed and resumed, the model is that of one never stopped", async () => {
  const [base, out, whole] = ["chat", "own", "own-whole"].map((name) => `${folder}/${name}`);
  await succeed([...sft, "--steps", "1", "--out", base]);
  Deno.writeTextFileSync(
    `${base}/chat_template.jinja`,
    "{% for m in messages %}{% if m.role == 'user' %}User: {{ m.content }} Assistant:{% endif %}{% endfor %}",
  );
  const rows = [1, 2, 3].flatMap((n) => [
    { prompt: `User: ${n} + 2 Assistant:`, completion: " = 9" },
    { messages: [{ role: "user", content: `${n} * 2` }, { role: "assistant", content: " 1 = 1" }] },
  ]);
  const data = `${folder}/own.jsonl`;
  Deno.writeTextFileSync(data, [...rows, rows[0]].map((row) => JSON.stringify(row)).join("\n"));
  const args = ["sft", "--model", base, "--data", data, "--batch", "4", "--lr", "1e-2", "--noise", "0,0.3"];
  const { stderr } = await succeed([...args, "--steps", "60", "--out", whole]);
  assertMatch(
    stderr,
    /^data +.*own\.jsonl: 7 rows, 1 of them repeat another; 60 updates of 4 see each 34\.3 times$/m,
  );
  const long = [...args, "--steps", "60", "--save-every", "7", "--out", out];
  const checkpoints = `${out}/unfinished/checkpoints`;
  await stopWhen(long, () => isFolder(`${checkpoints}/step-000014`), "SIGKILL");
  await fails(["sft", "--resume", "--out", out, "--lr", "1"], 1, "with --lr 1: it runs with 0.01");
  const resumed = await succeed(["sft", "--resume", "--out", out]);
  assertMatch(resumed.stderr, /^sft +(1[5-9]|2\d)\/60 /m);
  assertEquals(filesOf(out), filesOf(whole));
  assertEquals(
    Deno.readFileSync(`${out}/model.safetensors`),
    Deno.readFileSync(`${whole}/model.safetensors`),
  );
  // What was learned is the completions, in the forms that the rows have.
  const ask = async (text: string, ...flags: string[]) =>
    (await succeed([
      "generate",
      "-m",
      out,
      "--raw",
      "--thinking",
      "hard",
      "--max-tokens",
      "4",
      ...flags,
      text,
    ])).stdout;
  assertEquals(await ask("User: 2 + 2 Assistant:"), " = 9\n");
  assertEquals(await ask("User: 2 * 2 Assistant:"), " 1 = 1\n");
  const short = await succeed([
    "sft",
    "--model",
    base,
    "--data",
    data,
    "--batch",
    "4",
    "--out",
    `${folder}/short`,
  ]);
  assertMatch(short.stdout, / 6 updates, /);
});

Deno.test("rows that are no demonstrations are named", async () => {
  const data = `${folder}/rows.jsonl`;
  const refused = (row: unknown, ...messages: string[]) => {
    Deno.writeTextFileSync(data, `{"prompt": "1", "completion": " 2"}\n${JSON.stringify(row)}\n`);
    return fails(
      ["sft", "--data", data, "--out", `${folder}/none`],
      1,
      `Cannot train on ${data}: `,
      ...messages,
    );
  };
  await refused(
    { prompt: "1" },
    "row 2 has neither messages nor texts as prompt and completion",
    'hint: a row is such as {"prompt"',
  );
  await refused(
    { messages: [{ role: "user", content: "1" }, { role: "user", content: "2" }] },
    "row 2 does not end with",
  );
  await refused(
    { messages: [{ role: "user", content: "1" }, { role: "assistant", content: "2" }] },
    "row 2 has messages, and the model no chat template",
    'hint: a row is such as {"prompt"',
  );
  await refused({ prompt: "1", completion: " 1".repeat(300) }, "1 of 2 rows are longer than", "row 2 with 3");
  await fails(
    ["sft", "--data", data, "--task", "sums", "--out", `${folder}/none`],
    2,
    "--task and --data both say",
  );
  await fails(["sft", "--resume", "--out", `${folder}/none`], 1, "it holds no unfinished training");
  assert(!filesOf(folder).includes("none"));
});

Deno.test("mistakes are told with a hint, and nothing is written", async () => {
  const out = `${folder}/none`;
  await fails(["sft", "--steps", "1"], 1, "name a new folder with --out");
  const without = "Cannot train on demonstrations of gsm8k: it has none, one of sums, sums-slips is needed";
  await fails(["sft", "--task", "gsm8k", "--out", out], 1, without);
  const own = "./capitals.ts: a task of your own has none";
  await fails(["sft", "--task", "./capitals.ts", "--out", out], 1, own, "softcot sft --data FILE");
  await fails(["sft", "--steps", "0", "--out", out], 2, "steps");
  await fails(
    ["sft", "--width", "18", "--heads", "4", "--out", out],
    1,
    "a head must be a multiple of 4 wide",
  );
  await fails(["sft", "--task", "nothing", "--out", out], 1, 'Cannot find the task "nothing"');
  await fails(
    ["sft", "--model", `${folder}/nothing`, "--out", out],
    1,
    `Cannot find the model ${folder}/nothing`,
  );
  await fails([...sft, "--steps", "1", "--context", "16", "--out", out], 1, "context");
  Deno.writeTextFileSync(`${folder}/file`, "");
  await fails([...sft, "--steps", "1", "--out", `${folder}/file/model`], 1, `${folder}/file/model`);
  assert(!filesOf(folder).includes("none"));
});

Deno.test("what a training left that was killed while it began is in nobody's way", () => {
  const out = `${folder}/begun`;
  Deno.mkdirSync(`${out}/unfinished/checkpoints`, { recursive: true });
  Deno.writeTextFileSync(`${out}/unfinished/config.toml.0a1b2c3d-4e5f.tmp`, "");
  Deno.writeTextFileSync(`${out}/.softcot-1f3b5d`, "");
  claimFolder(out);
  Deno.writeTextFileSync(`${out}/unfinished/notes`, "");
  assertThrows(() => claimFolder(out), UserError, "it holds other files, such as unfinished");
});

Deno.test("a folder that holds anything is refused: a model in a run's folder would change what its name means", async () => {
  const out = `${folder}/taken`;
  Deno.mkdirSync(out);
  Deno.writeTextFileSync(`${out}/config.toml`, "");
  await fails(
    [...sft, "--steps", "1", "--out", out],
    1,
    "it holds other files, such as config.toml",
    "--out",
  );
  Deno.writeTextFileSync(`${out}/model.safetensors`, "");
  await fails([...sft, "--steps", "1", "--out", out], 1, "it holds one already");
  assertEquals(filesOf(out), ["config.toml", "model.safetensors"]);
});

Deno.test("a training that runs away is told, and no weights are written", async () => {
  const out = `${folder}/away`;
  const flags = ["sft", ...SMALL_MODEL, "--batch", "8", "--lr", "1e38", "--warmup", "0", "--out", out];
  const one = flags.with(flags.indexOf("1e38"), "1e41");
  const stderr = await fails([...one, "--steps", "1"], 1, "smaller");
  assertMatch(stderr, /^error: Cannot (save the weights: .* holds (NaN|-?Infinity)|go on after update)/m);
  await fails([...flags, "--steps", "9"], 1, "Cannot go on after update", "--lr");
  assert(!isFolder(out));
  await fails([...sft, "--beta1", "1", "--steps", "1", "--out", out], 2, "of at least 0 and below 1");
  await fails([...sft, "--beta2", "1", "--steps", "1", "--out", out], 2, "of at least 0 and below 1");
});
