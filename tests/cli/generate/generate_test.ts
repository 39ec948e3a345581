import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { loadTokenizer } from "../../../model/tokenizer/tokenizer.ts";
import { byteLevelFiles, UNCUT } from "../../model/support/byte_level_files.ts";
import { randomModel, SMALL } from "../../model/support/small_models.ts";
import { testFolder } from "../../support/folders.ts";
import { modelFolder, thinker, THOUGHT, writeModel } from "../support/model_folder.ts";
import { runSoftcot, softcotCommand, told } from "../support/run_softcot.ts";

const folder = await modelFolder(thinker);
const model = `${folder}/model`;
const QUESTION = "Sam has 10 coins. How many coins does Sam have?";
const TEXT = `${THOUGHT} \\boxed{9}`;

/** Runs the program with a text on its standard input. */
async function pipe(args: string[], input: string) {
  const child = softcotCommand(args, { stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  return told(await child.output());
}

Deno.test("generate writes the thinking, the forced box and the answer, and nothing else, in each way", async () => {
  for (const thinking of ["hard", "soft", "fuzzy"]) {
    for (const how of [[], ["--sample"]]) {
      const args = ["generate", "-m", model, "--thinking", thinking, ...how, QUESTION];
      const { code, stdout, stderr } = await runSoftcot(args);
      assertEquals([code, stdout], [0, `${TEXT}\n`], stderr);
    }
  }
});

Deno.test("--mode says the way of thinking as eval does", async () => {
  const random = await modelFolder((gpu) => randomModel(gpu, SMALL));
  const ask = async (...how: string[]) => {
    const args = ["generate", "-m", `${random}/model`, "--max-thinking", "9", ...how, QUESTION];
    const { code, stdout, stderr } = await runSoftcot(args);
    assertEquals(code, 0, stderr);
    return stdout;
  };
  assertEquals(await ask("--mode", "hard-sample"), await ask("--thinking", "hard", "--sample"));
  assertEquals(await ask("--mode", "soft-greedy"), await ask());
  assertEquals(await ask("--mode", "hard-sample") === await ask("--mode", "hard-greedy"), false);
});

Deno.test("generate reads the question from a pipe, and --json tells its parts", async () => {
  const { stdout, stderr, code } = await pipe(["generate", "-m", model, "--json"], `${QUESTION}\n`);
  assertEquals(code, 0, stderr);
  const { prompt, samples } = JSON.parse(stdout);
  const [{ text, thinking, forced, answer, boxed, thinkingEnd, answerEnd, ...rest }] = samples;
  assertEquals(samples.length, 1);
  assertEquals(prompt, `User: ${QUESTION} Assistant:`);
  assertEquals([text, thinking, forced, answer, boxed], [TEXT, THOUGHT, " \\boxed{", "9}", "9"]);
  assertEquals([thinkingEnd, answerEnd], ["trigger", "brace"]);
  assertEquals([rest.thinkingTokens.length, rest.answerTokens.length], [10, 2]);
});

Deno.test("--show-thinking tells what each step was made of", async () => {
  const args = ["generate", "-m", model, "--show-thinking", QUESTION];
  const { stdout } = await runSoftcot(args);
  const [text, , ...steps] = stdout.trimEnd().split("\n");
  assertEquals(text, TEXT);
  assertEquals(steps.length, 10);
  assertMatch(steps[0], /^ 1 +" 1" +1\.000$/);
  assertMatch(steps[9], /^10 +" is:" +1\.000$/);
  const data = JSON.parse((await runSoftcot([...args, "--thinking", "hard", "--json"])).stdout);
  const [{ steps: told }] = data.samples;
  assertEquals(told.length, 10);
  assertEquals(told[3][0].token, " =");
  assert(Math.abs(told[3][0].weight - 1) < 1e-3);
});

Deno.test("--raw continues a text as it is; --samples writes several", async () => {
  const args = ["generate", "-m", model, "--raw", "--thinking", "hard"];
  const { stdout } = await runSoftcot([...args, "--max-tokens", "3", " 1"]);
  assertEquals(stdout, " + 2 =\n");
  const drawn = await runSoftcot(["generate", "-m", model, "--thinking", "hard", "--samples", "2", QUESTION]);
  assertEquals(drawn.stdout, `${TEXT}\n\n${TEXT}\n`);
  const data = JSON.parse(
    (await runSoftcot([...args, "--samples", "2", "--json", "--max-tokens", "4", " +"])).stdout,
  );
  assertEquals(data.samples.map(({ text }: { text: string }) => text), [" 2 = 3.", " 2 = 3."]);
});

Deno.test("generate names what is wrong", async () => {
  const refused = async (args: string[], status: number, message: string, input?: string) => {
    const all = ["generate", "-m", model, ...args];
    const { code, stdout, stderr } = input === undefined ? await runSoftcot(all) : await pipe(all, input);
    assertEquals([code, stdout], [status, ""], stderr);
    assertStringIncludes(stderr, message);
  };
  await refused([QUESTION, "--thinking", "warm"], 2, '"hard", "soft", "fuzzy"');
  await refused([QUESTION, "--tau", "0"], 2, "--tau");
  await refused([QUESTION, "more words"], 2, "more words");
  await refused([], 1, "the text is empty", " \n");
  await refused(["Zoe has 3 coins."], 1, "larger vocabulary with --model; this one knows few words: ");
  await refused([QUESTION, "--max-thinking", "300"], 1, "the model's context holds 256");
  await refused([QUESTION, "--task", "none"], 1, "Cannot find the task");
  await refused([QUESTION, "--chat-template"], 1, "the model has none");
  await refused([QUESTION, "--system", "Be brief."], 2, "--system goes with --chat-template");
  await refused([QUESTION, "--mode", "soft-warm"], 2, '"soft-greedy"');
  await refused(
    [QUESTION, "--mode", "soft-greedy", "--thinking", "hard"],
    2,
    "--thinking has no place beside it",
  );
  await refused([QUESTION, "--mode", "hard-greedy", "--samples", "2"], 2, "--mode hard-greedy draws nothing");
  await refused([QUESTION, "--gamma", "1e308"], 2, "at least 0 and at most 1000");
  await refused([QUESTION, "--raw", "--max-tokens", "1e9"], 2, "at most 1048576");
  await refused([QUESTION, "--chat-template", "--raw"], 2, "--raw takes the text as it is");
  await refused(
    [QUESTION, "--thinking", "neighbours"],
    2,
    "draws the tokens of its steps: --sample is needed",
  );
  await refused([QUESTION, "--weighting", "uniform"], 2, "--weighting is of multiplex, neighbours thinking");
  await refused([QUESTION, "--top-k", "3"], 2, "--thinking hard --sample is needed");
  await refused([QUESTION, "--top-p", "1.5"], 2, "--top-p");
  await refused(["", "--raw"], 1, "the text is empty");
});

Deno.test("--chat-template asks in the form of the model's template, and of its run's where nobody says", async () => {
  const run = await modelFolder(thinker);
  // The small vocabulary has no words for the instruction, and its system messages are sums.
  const template = "User: {{ messages[-1].content.split('\\n\\n')[0] }} Assistant:" +
    "{% if messages | length > 1 %} {{ messages[0].content }}{% endif %}";
  await Deno.writeTextFile(`${run}/model/chat_template.jinja`, template);
  const promptOf = async (...args: string[]) => {
    const { stdout, stderr } = await runSoftcot(["generate", "-m", `${run}/model`, "--json", "-q", ...args]);
    assertEquals(stderr, "");
    return JSON.parse(stdout).prompt;
  };
  const asked = `User: ${QUESTION} Assistant:`;
  const system = ["--system", "1 +"];
  assertEquals(await promptOf("--chat-template", ...system, QUESTION), `${asked} 1 +`);
  await Deno.writeTextFile(`${run}/model/config.toml`, 'chat-template = true\nsystem = "2 *"\n');
  assertEquals(await promptOf(QUESTION), `${asked} 2 *`);
  assertEquals(await promptOf(QUESTION, ...system), `${asked} 1 +`);
  assertEquals(await promptOf(QUESTION, "--no-chat-template"), asked);
});

Deno.test("--top-k 1 draws the most probable tokens", async () => {
  const random = await modelFolder((gpu) => randomModel(gpu, SMALL));
  const args = [
    "generate",
    "-m",
    `${random}/model`,
    "--raw",
    "--thinking",
    "hard",
    "--max-tokens",
    "12",
    " 1",
  ];
  const [greedy, first, drawn] = await Promise.all([
    runSoftcot(args),
    runSoftcot([...args, "--sample", "--top-k", "1"]),
    runSoftcot([...args, "--sample"]),
  ]);
  assertEquals(first.stdout, greedy.stdout);
  assert(drawn.stdout !== greedy.stdout);
});

Deno.test("a model with a beginning token writes from nothing: stories260K's best known story", async () => {
  const stories = "../shared/models/stories260K";
  if (!(await Deno.stat(stories).catch(() => undefined))) return console.log(`skipped: no ${stories}`);
  const args = ["generate", "-m", stories, "--raw", "--thinking", "hard", "--max-tokens", "40", ""];
  const { code, stdout, stderr } = await runSoftcot(args);
  assertEquals(code, 0, stderr);
  assert(
    stdout.startsWith("Once upon a time, there was a little girl named Lily. She loved to play"),
    stdout,
  );
  const data = JSON.parse((await runSoftcot([...args, "--json"])).stdout);
  assertEquals(data.samples[0].text + "\n", stdout);
  assertEquals(data.prompt, "");
});

/** No end token, in its tokenizer either, and room for more text than a test waits for. */
const long = await testFolder();
await writeModel(
  `${long}/model`,
  (gpu) =>
    randomModel(gpu, {
      ...SMALL,
      ...{ vocabSize: 256, usedVocabSize: 256, maxPosition: 16384, eosTokenIds: [] },
    }),
  loadTokenizer(byteLevelFiles({}, { pre_tokenizer: UNCUT })),
);

/** Starts a long text, and sends a signal when the condition on its output holds. */
async function interrupt(more: string[], ready: (stdout: ReadableStreamDefaultReader) => Promise<unknown>) {
  const args = [
    "generate",
    "-m",
    `${long}/model`,
    "--raw",
    "--thinking",
    "hard",
    "--max-tokens",
    "16000",
    " 0",
  ];
  const child = softcotCommand([...args, ...more], { stdout: "piped", stderr: "piped" }).spawn();
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  let stdout = "";
  const first = await ready(reader);
  if (first instanceof Uint8Array) stdout += decoder.decode(first, { stream: true });
  child.kill("SIGINT");
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    stdout += decoder.decode(part.value, { stream: true });
  }
  const stderr = await new Response(child.stderr).text();
  return { code: (await child.status).code, stdout, stderr };
}

Deno.test("Ctrl-C stops a long text with status 130; the text till then is there and ends its line", async () => {
  const { code, stdout, stderr } = await interrupt([], async (reader) => (await reader.read()).value);
  assertEquals(code, 130, stderr);
  assertStringIncludes(stderr, "Stopped.");
  assert(stdout.length > 1 && stdout.endsWith("\n"), stdout);
});

Deno.test("Ctrl-C: what was generated is told with --json too", async () => {
  const after = (seconds: number) =>
    interrupt(
      ["--json", "--samples", "2"],
      () => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
    );
  // Nothing tells when the first tokens are there; a busy machine gets more time.
  let { code, stdout, stderr } = await after(3);
  if (!stdout.includes('"tokens": [\n')) ({ code, stdout, stderr } = await after(15));
  assertEquals(code, 130, stderr);
  const { samples } = JSON.parse(stdout);
  assertEquals(samples.length, 2);
  assert(samples.every(({ tokens, end }: { tokens: number[]; end?: string }) => tokens.length > 0 && !end));
});
