import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  evaluate,
  findModel,
  generate,
  generatedText,
  loadEngine,
  type Model,
  openGpu,
  openTask,
  thinkingRules,
  UserError,
  verify,
} from "../mod.ts";
import {
  builtinTokenizer,
  createModel,
  type Gpu,
  hardThinking,
  initialise,
  type ModelConfig,
  promptIds,
  saveModel,
  type Thinking,
} from "../parts.ts";
import weights from "../model/builtin/weights.base64" with { type: "text" };
import { root } from "./support/places.ts";

// What other programs do with the public module alone; each part has deeper tests of its own.

const tokenizer = builtinTokenizer();
const task = await openTask("sums");

const config: ModelConfig = {
  ...{
    architecture: "llama",
    vocabSize: 80,
    usedVocabSize: tokenizer.size,
    hiddenSize: 32,
    layers: 2,
    heads: 2,
  },
  ...{ kvHeads: 2, headDim: 16, intermediateSize: 64, normEps: 1e-5, ropeTheta: 10000, maxPosition: 256 },
  ...{ tied: true, qkvBias: false, qkNorm: false, eosTokenIds: [tokenizer.eosId!] },
};

Deno.test({
  name: "the example in mod.ts runs as it stands",
  ignore: weights === "",
  fn: async () => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--doc", "--allow-all", "--quiet", "mod.ts"],
      cwd: root,
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
  },
});

/** A folder outside of the clone, whose deno.json has the line of README.md. */
async function withProgram(name: string, test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const [line] = (await Deno.readTextFile(`${root}README.md`)).match(/\{ "imports".*"links".*\}/)!;
    await Deno.writeTextFile(`${folder}/deno.json`, line.replace("../softcot", root));
    await Deno.copyFile(`${root}examples/${name}`, `${folder}/${name}`);
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (
  const { name, args = [], shows } of [
    {
      name: "verify.ts",
      shows: [/^\\frac\{1\}\{2\} and 0\.5: equal \(exact numbers\)$/m, /^3 and .*: not equal/m],
    },
    { name: "generate.ts", shows: [/\\boxed\{\d+\} +\(\d+ steps of thinking, ended by trigger\)$/m] },
    {
      name: "evaluate.ts",
      shows: [/^hard-sample: 0\.\d+ ± 0\.\d+, pass@1 .*pass@4/m, /^soft less hard: -?\d\.\d+ ± 0\.\d+ over/m],
    },
    {
      name: "train.ts",
      args: ["run"],
      shows: [/^step 3: reward \d+\.\d, mismatch 0$/m, /^3 updates; softcot generate --model run /m],
    },
  ]
) {
  Deno.test({
    name: `examples/${name} runs outside of the clone, as README.md says`,
    ignore: weights === "",
    fn: () =>
      withProgram(name, async (folder) => {
        const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "--allow-all", "--quiet", "--no-lock", name, ...args],
          cwd: folder,
          env: { NO_COLOR: "1", DENO_WEBGPU_BACKEND: "vulkan" },
        }).output();
        const text = new TextDecoder().decode(stdout);
        assertEquals(code, 0, new TextDecoder().decode(stderr));
        for (const line of shows) assert(line.test(text), `${line}: ${text}`);
      }),
  });
}

Deno.test("the page of mod.ts is one that can be read", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "mod.ts"],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const lines = new TextDecoder().decode(stdout).split("\n").length;
  assert(lines > 300 && lines < 1000, `${lines} lines`);
});

Deno.test("a model that is made, saved and found again thinks the same", async () => {
  const gpu = await openGpu();
  const folder = await Deno.makeTempDir();
  try {
    const model = createModel(gpu, config);
    initialise(gpu, config, model.params, 7);
    await saveModel({ model, tokenizer, source: "a test" }, folder, "F32", { embeddingRms: 0.02 });
    const found = await findModel(gpu, folder);
    assertEquals(found.embeddingRms, 0.02);
    assertEquals(await think(gpu, found.model, hardThinking(1)), await think(gpu, model, hardThinking(1)));
  } finally {
    gpu.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a way of thinking of one's own plugs in, and a seed decides what it draws", async () => {
  const gpu = await openGpu();
  try {
    const model = createModel(gpu, config);
    initialise(gpu, config, model.params, 7);
    let steps = 0;
    const plain = hardThinking(1);
    const counted: Thinking = {
      ...plain,
      name: "counted",
      step(input) {
        steps++;
        plain.step(input);
      },
    };
    const text = await think(gpu, model, counted);
    assert(steps > 0);
    assertEquals(await think(gpu, model, plain), text);
    assert(await think(gpu, model, plain, 1) !== text);
  } finally {
    gpu.close();
  }
});

Deno.test("a model is measured on a task", async () => {
  const gpu = await openGpu();
  try {
    const model = createModel(gpu, config);
    initialise(gpu, config, model.params, 7);
    const [result] = await evaluate(model, tokenizer, task, {
      modes: ["soft-sample"],
      stream: "test",
      questions: 4,
      samples: 2,
      maxThinking: 6,
      gamma: 0.1,
      embeddingRms: 0.02,
      seed: 0,
    });
    assertEquals([result.mode, result.samples, result.questions.length], ["soft-sample", 2, 4]);
    assert(result.thinkingLength > 0 && result.thinkingLength <= 6);
  } finally {
    gpu.close();
  }
});

Deno.test("answers are judged, and mistakes are told with a hint", async () => {
  await loadEngine();
  assert(verify("\\frac{1}{2}", "0.5").equal);
  assert(!verify("\\sqrt{8}", "2\\sqrt{3}").equal);
  const error = assertThrows(() =>
    thinkingRules(tokenizer, { maxThinking: -1, maxAnswer: 5, endTokenIds: [] })
  );
  assert(error instanceof UserError);
  await assertRejects(() => openTask("no such task"), UserError, "sums");
});

async function think(gpu: Gpu, model: Model, thinking: Thinking, seed = 0): Promise<string> {
  const rules = thinkingRules(tokenizer, { maxThinking: 12, maxAnswer: 3, endTokenIds: config.eosTokenIds });
  using scratch = gpu.arena.scratch();
  const prompts = [promptIds(tokenizer, await task.prompt(task.question("test", 0, 0).question))];
  const { rollouts: [rollout] } = await generate(model, tokenizer, {
    ...{ prompts, group: 1, thinking, rules, answerTau: 0, rolloutIds: [0], seed, step: 0 },
  }, scratch);
  return generatedText(tokenizer, [...rollout.thinking, ...rollout.forced, ...rollout.answer], rules);
}
