/** Questions longer than a model's context: refused before they take time, left out, or cut in their middle, and counted. */
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { LongPromptError, type LongPrompts } from "../../eval/questions/long_prompts.ts";
import { promptOf } from "../../eval/questions/prompt_ids.ts";
import { loadTokenizer } from "../../model/tokenizer/tokenizer.ts";
import { byteLevelFiles, UNCUT } from "../model/support/byte_level_files.ts";
import { testFolder } from "../support/folders.ts";
import { byteModel } from "./support/model_folder.ts";
import { fails, finish, programWords, runSoftcot } from "./support/run_softcot.ts";

const folder = await testFolder();
const model = await byteModel(folder);

/** Three million tokens of any tokenizer but this one, which makes twelve million of them. */
const ENDLESS = "many coins ".repeat(1_100_000);

/** Four short questions, a long one, and one that takes minutes to be tokenised. */
function written(name: string): string {
  const questions = ["1 + 1?", "2 + 2?", `${"so ".repeat(1200)}3 + 3?`, "4 + 4?", ENDLESS, "5 + 5?"];
  const path = `${folder}/${name}.jsonl`;
  const lines = questions.map((question, i) => JSON.stringify({ question, answer: `so #### ${2 * i + 2}` }));
  Deno.writeTextFileSync(path, lines.join("\n"));
  return path;
}

const test = written("test");
const train = written("train");
const asked = ["--model", model, "--max-thinking", "4", "--answer-tokens", "4", "--seed", "3"];
const evaluating = (
  ...more: string[]
) => ["eval", "gsm8k", "--data", test, ...asked, "--mode", "hard-greedy", ...more];
const training = (out: string, ...more: string[]) => [
  ...[
    "train",
    "--task",
    "gsm8k",
    "--data",
    train,
    ...asked,
    "--validation-questions",
    "1",
    "--validate-every",
    "0",
  ],
  ...["--questions", "4", "--group", "2", "--steps", "2", "--out", `${folder}/${out}`, ...more],
];

Deno.test("of a text far too long no more is tokenised than shows it; one to be truncated keeps its ends", async () => {
  let most = 0;
  const whole = loadTokenizer(byteLevelFiles({}, { pre_tokenizer: UNCUT }));
  const tokenizer = {
    ...whole,
    encode: (text: string) => (most = Math.max(most, text.length), whole.encode(text)),
  };
  const task = { prompt: (question: string) => `User: ${question} Assistant:` };
  const ask = (question: string, long: LongPrompts) =>
    promptOf(tokenizer, task, question, { room: { most: 100, long } });
  for (const long of ["refuse", "skip"] as const) {
    const error = await assertRejects(() => ask(ENDLESS, long), LongPromptError);
    assertStringIncludes(error.message, "Cannot ask with a prompt of 12,100,017 characters");
    assert(most < 1000, `${most} characters`);
  }
  const { ids } = await ask(ENDLESS, "truncate");
  assertEquals([ids.length, most < 5000], [100, true]);
  assertEquals(whole.decode(ids.slice(0, 16)), "User: many coins");
  assertEquals(whole.decode(ids.slice(-16)), "coins  Assistant:".slice(-16));
  const short = (await ask("2 + 2?", "truncate")).ids;
  assertEquals(short, whole.encode("User: 2 + 2? Assistant:"));
  assertEquals((await ask("so ".repeat(100), "refuse")).ids.length, 317, "told by who knows all of them");
  await assertRejects(() => ask("so ".repeat(100), "skip"), LongPromptError, "317 tokens");
});

Deno.test("an evaluation refuses them at once, or counts those that it leaves out or cuts", async () => {
  const began = performance.now();
  await fails(evaluating(), 1, "Cannot ask with a prompt of 12,100", "of gsm8k)", "--long-prompts truncate");
  assert(performance.now() - began < 30_000);
  for (
    const [how, questions, what] of [["skip", 4, "left out"], ["truncate", 6, "cut in their middle"]] as const
  ) {
    const { code, stdout, stderr } = await runSoftcot(evaluating("--long-prompts", how, "--json"));
    assertEquals(code, 0, stderr);
    const { tasks: [told] } = JSON.parse(stdout);
    assertEquals([told.questions, told.longPrompts], [questions, { how, prompts: 2 }]);
    assertStringIncludes(
      stderr,
      `2 prompts of gsm8k are longer than the model's context leaves room for: ${what}`,
    );
  }
});

Deno.test("one text to generate from is refused at once, or cut in its middle, and said to be", async () => {
  const long = `${"so ".repeat(1200)}3 + 3?`;
  const path = `${folder}/endless.txt`;
  Deno.writeTextFileSync(path, ENDLESS);
  const asking = ["generate", "--model", model, "--max-thinking", "4", "--answer-tokens", "4"];
  const piped = (...more: string[]) =>
    finish("sh", ["-c", '"$@" <"$0"', path, ...programWords(), ...asking, ...more]);
  const began = performance.now();
  const refused = await piped();
  assertEquals([refused.code, refused.stdout], [1, ""]);
  assertStringIncludes(refused.stderr, "Cannot ask with a prompt of 12,100");
  assert(performance.now() - began < 30_000);
  await fails([...asking, long], 1, "Cannot generate up to", "--long-prompts truncate");
  const continued = ["generate", "--model", model, long, "--raw", "--max-tokens", "6", "--thinking", "hard"];
  for (const args of [[...asking, long], continued]) {
    const { code, stderr } = await runSoftcot([...args, "--long-prompts", "truncate"]);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "warning  the text is longer than the model's context leaves room for");
  }
  const cut = await piped("--long-prompts", "truncate", "--json");
  assertEquals([cut.code, JSON.parse(cut.stdout).samples.length], [0, 1], cut.stderr);
  const short = await runSoftcot([...asking, "3 + 3?", "--long-prompts", "truncate"]);
  assertEquals([short.code, /warning/.test(short.stderr)], [0, false]);
});

Deno.test("a training refuses them before the model is loaded, or counts those that it leaves out or cuts", async () => {
  const began = performance.now();
  await fails(training("refused"), 1, "Cannot ask with a prompt of 12,100");
  assert(performance.now() - began < 30_000);
  const { code, stderr } = await runSoftcot(training("skip", "--long-prompts", "skip"));
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /the prompts of [12] training questions are longer .*: left out/);
  assertStringIncludes(Deno.readTextFileSync(`${folder}/skip/config.toml`), 'long-prompts = "skip"');
});
