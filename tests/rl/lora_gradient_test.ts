/**
 * An adapted model computes what the model with merged weights does, and the gradients of A and B are those that follow
 * from the merged weights' own: dA = s B^T dW, dB = s dW A^T.
 */
import { assert, assertEquals } from "@std/assert";
import { downloadMatrix } from "../../gpu/matrix.ts";
import { addAdapter, type LoraSettings, refreshAdapter } from "../../model/transformer/adapter.ts";
import { createLoraParams } from "../../model/transformer/lora_params.ts";
import { mergeAdapter } from "../../model/lora/merge_adapter.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { createParams, freeParams, zeroParams } from "../../model/transformer/params.ts";
import { gaussianThinking } from "../../model/thinking/gaussian.ts";
import { hardThinking } from "../../model/thinking/hard.ts";
import { createModel, freeModel, type Model } from "../../model/transformer/transformer.ts";
import { accumulateCrossEntropy } from "../../rl/cross_entropy.ts";
import { accumulateGradient } from "../../rl/objective.ts";
import type { ScoredGroup } from "../../rl/packed_batch.ts";
import { assertSameBits, openTestGpu, random32 } from "../gpu/support.ts";
import { logitsOf } from "../model/support/logits_of.ts";
import { normalisedMse, randomIntegers } from "../reference/support.ts";
import { expectedGradients, mergedWeights, randomAdapter } from "./support/lora_in_f64.ts";
import { downloadNamed, gradientError, uploadNamed } from "./support/named_weights.ts";
import { tinyModel } from "./support/tiny_model.ts";

const whole = await openTestGpu();
// The embedding in several chunks, and B and its blocks in chunks of other sizes.
const chunked = await openTestGpu({ maxBinding: 3072 });

const SHAPES: { name: string; config: Partial<ModelConfig>; settings: LoraSettings }[] = [
  { name: "llama", config: {}, settings: { rank: 4, alpha: 6 } },
  {
    name: "qwen2, odd rank",
    config: { architecture: "qwen2", qkvBias: true, kvHeads: 1 },
    settings: { rank: 3, alpha: 3, rankStabilised: true },
  },
  {
    name: "qwen3",
    config: { architecture: "qwen3", qkNorm: true, headDim: 16, tied: false },
    settings: { rank: 16, alpha: 32 },
  },
];
const IDS = [...randomIntegers(5, 40, 70)];
const EXAMPLES = [{ ids: IDS.slice(0, 23), from: 3 }, { ids: IDS.slice(23), from: 1 }];

/** The same model with s B A added to its weights by the test itself. */
async function mergedCopy(model: Model): Promise<Model> {
  const { gpu, config } = model;
  const copy = createModel(gpu, config);
  uploadNamed(gpu, config, copy.params, await mergedWeights(model));
  return copy;
}

const flat = (rows: Float32Array[]) => Float32Array.from(rows.flatMap((row) => [...row]));

/** A batch of two prompts with five rollouts, thoughts random. */
function batch(model: Model) {
  const { hiddenSize: d } = model.config;
  const tokens = (seed: number, count: number) => [...randomIntegers(seed, count, 70)];
  const groups = [11, 1].map((prompt, g): ScoredGroup => ({
    prompt: tokens(30 + g, prompt),
    rollouts: Array.from({ length: 3 - g }, (_, r) => ({
      id: 3 * g + r,
      index: 3 * g + r,
      thinking: tokens(40 + 3 * g + r, 2 + r),
      forced: tokens(50 + r, 2),
      answer: tokens(60 + g, 3),
      advantage: [0.9, -0.3, -0.6][r],
    })),
  }));
  return { groups, thoughts: random32(9, 5 * 4 * d, 0.13) };
}

for (const t of [whole, chunked]) {
  const where = t === whole ? "" : ", weights in chunks";
  for (const { name, config, settings } of SHAPES) {
    Deno.test(`${name}: logits are those of merged weights, and merging keeps them${where}`, async () => {
      const model = tinyModel(t.gpu, config);
      await randomAdapter(model, settings, 3);
      const merged = await mergedCopy(model);
      const expected = flat(await logitsOf(merged, IDS));
      const adapted = flat(await logitsOf(model, IDS));
      assert(normalisedMse(adapted, expected) < 1e-11, `${normalisedMse(adapted, expected)}`);
      mergeAdapter(model);
      assertEquals(model.adapter, undefined);
      const after = flat(await logitsOf(model, IDS));
      assert(normalisedMse(after, expected) < 1e-11, `${normalisedMse(after, expected)}`);
      const weights = await downloadNamed(t.gpu, model.config, model.params);
      const wanted = await downloadNamed(t.gpu, model.config, merged.params);
      for (const [key, values] of weights) assert(normalisedMse(values, wanted.get(key)!) < 1e-13, key);
      freeModel(model);
      freeModel(merged);
    });

    Deno.test(`${name}: gradients of A and B follow from those of the merged weights${where}`, async () => {
      const model = tinyModel(t.gpu, config);
      await randomAdapter(model, settings, 3);
      const merged = await mergedCopy(model);
      const full = createParams(t.gpu, model.config, "f32", "gradient");
      const lora = createLoraParams(t.gpu, model.config, settings.rank, "gradient");
      const compare = async (
        what: string,
        accumulate: (model: Model, grads: typeof full | typeof lora) => void,
      ) => {
        zeroParams(t.gpu, full);
        zeroParams(t.gpu, lora);
        accumulate(merged, full);
        accumulate(model, lora);
        const whole = await downloadNamed(t.gpu, model.config, full);
        const expected = await expectedGradients(t.gpu, model, whole);
        const error = gradientError(await downloadNamed(t.gpu, model.config, lora), expected);
        assertEquals(expected.size, 2 * 7 * model.config.layers);
        assert(error < 1e-10, `${what}: ${error}`);
      };
      for (const recompute of [false, true]) {
        await compare(`cross-entropy, recompute ${recompute}`, (model, grads) => {
          accumulateCrossEntropy(model, grads, EXAMPLES, 0.1, recompute);
        });
      }
      const { groups, thoughts } = batch(model);
      const hidden = t.f32(thoughts, [5, 4, model.config.hiddenSize]);
      for (const thinking of [hardThinking(1), gaussianThinking("soft", 0.5, 0.13)]) {
        await compare(thinking.name, (model, grads) => {
          accumulateGradient(model, grads, groups, {
            thinking,
            hidden,
            scale: 1 / 5,
            seed: 1,
            step: 2,
            clipStep: 0,
            thinkingWeight: 1,
            recompute: false,
          });
        });
      }
      for (const set of [full, lora]) freeParams(t.gpu, set);
      for (const each of [model, merged]) freeModel(each);
    });
  }
}

Deno.test("gradients of A and B are the loss's slopes", async () => {
  const { gpu } = whole;
  const model = tinyModel(gpu);
  const { config } = model;
  const adapter = await randomAdapter(model, { rank: 4, alpha: 8 }, 3);
  const grads = createLoraParams(gpu, config, 4, "gradient");
  const loss = async (): Promise<number> => {
    zeroParams(gpu, grads);
    const logp = await accumulateCrossEntropy(model, grads, EXAMPLES, 1, false)();
    return -logp.reduce((sum, value) => sum + value, 0);
  };
  await loss();
  const gradient = await downloadNamed(gpu, config, grads);
  const start = await downloadNamed(gpu, config, adapter.params);
  for (const which of ["lora_A", "lora_B"]) {
    // Along the gradient itself, where the slope is its norm and rounding weighs least.
    const squares = [...gradient].filter(([name]) => name.includes(which))
      .flatMap(([_, values]) => [...values]).reduce((sum, x) => sum + x * x, 0);
    const step = 0.02 / squares;
    const at = async (side: number) => {
      const moved = [...start].map(([name, values]) =>
        [
          name,
          name.includes(which) ? values.map((x, i) => x + side * step * gradient.get(name)![i]) : values,
        ] as const
      );
      uploadNamed(gpu, config, adapter.params, new Map(moved));
      refreshAdapter(gpu, adapter);
      return await loss();
    };
    const slope = (await at(1) - await at(-1)) / (2 * step);
    assert(Math.abs(slope / squares - 1) < 0.01, `${which}: slope ${slope}, the gradient says ${squares}`);
  }
  freeParams(gpu, grads);
  freeModel(model);
});

Deno.test("a new adapter changes no bit; A is uniform within 1 / sqrt(inputs), drawn by seed and projection", async () => {
  const { gpu } = whole;
  const model = tinyModel(gpu, { hiddenSize: 64 });
  const before = flat(await logitsOf(model, IDS));
  const adapter = addAdapter(model, { rank: 16, alpha: 32 }, 7);
  assertSameBits("logits", flat(await logitsOf(model, IDS)), before);
  const values = await downloadNamed(gpu, model.config, adapter.params);
  const seen = new Set<number>();
  for (const [name, array] of values) {
    if (name.endsWith("lora_B.weight")) {
      assert(array.every((x) => x === 0), name);
      continue;
    }
    const bound = 1 / Math.sqrt(array.length / 16);
    assert(array.every((x) => Math.abs(x) < bound), name);
    const variance = array.reduce((sum, x) => sum + x * x, 0) / array.length;
    assert(Math.abs(variance / (bound * bound / 3) - 1) < 0.2, `${name}: variance ${variance}`);
    assert(!seen.has(array[0] / bound), `${name} repeats another's draws`);
    seen.add(array[0] / bound);
  }
  const other = tinyModel(gpu, { hiddenSize: 64 });
  const again = addAdapter(other, { rank: 16, alpha: 32 }, 7);
  const [ours, theirs] = [adapter, again].map(({ params }) => params.lora[1].down.a);
  assertSameBits("A", await downloadMatrix(gpu, ours), await downloadMatrix(gpu, theirs));
  for (const each of [model, other]) freeModel(each);
});

Deno.test("projections that are no targets stay unadapted: their A and B are 0, and so are the gradients", async () => {
  const { gpu } = whole;
  const model = tinyModel(gpu);
  const adapter = addAdapter(model, { rank: 4, alpha: 4, targets: ["q_proj", "v_proj"] }, 1);
  const grads = createLoraParams(gpu, model.config, 4, "gradient");
  accumulateCrossEntropy(model, grads, EXAMPLES, 1, false);
  const values = await downloadNamed(gpu, model.config, adapter.params);
  for (const [name, gradient] of await downloadNamed(gpu, model.config, grads)) {
    const isTarget = /\.(q|v)_proj\./.test(name);
    // B is 0 in the beginning: then only B has a gradient, where A is not 0.
    assertEquals(gradient.some((x) => x !== 0), isTarget && name.includes("lora_B"), name);
    assertEquals(values.get(name)!.some((x) => x !== 0), isTarget && name.includes("lora_A"), name);
  }
  freeParams(gpu, grads);
  freeModel(model);
});
