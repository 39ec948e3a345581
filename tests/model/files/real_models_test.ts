/** stories260K and SmolLM2-135M-Instruct against independent implementations (golden/formats/). Under two minutes. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { readParams } from "../../../model/files/params_file.ts";
import { findModel } from "../../../model/files/find_model.ts";
import { generate } from "../../../model/generation/generate.ts";
import { openModelFiles } from "../../../model/files/model_files.ts";
import { hardThinking } from "../../../model/thinking/hard.ts";
import { thinkingRules } from "../../../model/generation/thinking_text.ts";
import type { Tokenizer } from "../../../model/tokenizer/tokenizer.ts";
import { createModel, freeModel, type Model } from "../../../model/transformer/transformer.ts";
import { root } from "../../support/places.ts";
import { logitsOf } from "../support/logits_of.ts";
import { testWithModel } from "../support/real_models.ts";

const GOLDEN = `${root}tests/golden/formats/`;

const gpu = await openGpu();
Deno.test.afterAll(() => gpu.close());

const show = (line: string) => Deno.env.has("SOFTCOT_SHOW_ERRORS") && console.error(line);

/** The most probable continuation of each prompt, and the distance of the two top logits at each step. */
async function greedy(
  model: Model,
  tokenizer: Tokenizer,
  prompts: number[][],
  tokens: number,
  endTokenIds = model.config.eosTokenIds,
) {
  const maxAnswer = 1;
  const rules = thinkingRules(tokenizer, { maxThinking: tokens, maxAnswer, endTokenIds });
  using scratch = gpu.arena.scratch();
  const { rollouts } = await generate(model, tokenizer, {
    ...{ prompts, group: 1, rules, thinking: hardThinking(0), answerTau: 0, plain: true },
    ...{ rolloutIds: prompts.map((_, i) => i), seed: 0, step: 0 },
  }, scratch);
  return rollouts.map(({ thinking, thinkingStats }) => ({ ids: thinking, gaps: thinkingStats.gap }));
}

testWithModel(
  "stories260K",
  "stories260K: 200 greedy tokens from the empty prompt, as a numpy implementation of llama2.c's layout says them",
  async (folder) => {
    const golden: { ids: number[]; text: string; firstLogits: number[] } = JSON.parse(
      Deno.readTextFileSync(`${GOLDEN}stories260k.json`),
    );
    const { model, tokenizer } = await findModel(gpu, folder);
    assertEquals([tokenizer.bosId, tokenizer.encode("")], [1, []]);
    const [first] = await logitsOf(model, [1]);
    golden.firstLogits.forEach((z, i) => assertAlmostEquals(first[i], z, 1e-4));
    const [{ ids }] = await greedy(model, tokenizer, [[1]], 200);
    assertEquals(ids, golden.ids);
    assertEquals(tokenizer.decode([1, ...ids]), golden.text);
    assert(
      golden.text.startsWith(
        "Once upon a time, there was a little girl named Lily. She loved to play outside",
      ),
    );
  },
);

testWithModel(
  "smollm2-135m-instruct",
  "SmolLM2-135M: loading grows JS heap and array buffers by at most 300 MB above the tokenizer's share",
  (folder) => {
    using files = openModelFiles(folder);
    const { config, weights } = files;
    const held = () => Deno.memoryUsage().heapUsed + Deno.memoryUsage().external;
    const before = held();
    let most = 0;
    const read = (tensor: string, from: number, out: Float32Array<ArrayBuffer>) => {
      weights.read(tensor, from, out);
      most = Math.max(most, held() - before);
    };
    const model = createModel(gpu, config);
    readParams(gpu, config, { ...weights, read }, model.params, folder);
    freeModel(model);
    show(`loading grew heap and buffers by ${Math.round(most / 1e6)} MB`);
    assert(most > 0 && most < 300e6, `grew by ${most} bytes`);
    return Promise.resolve();
  },
);

interface SmolGolden {
  ids: number[];
  columns: number[];
  logits: string;
  topIds: string;
  top: string;
  logSumExp: string;
  greedy: { prompt: string; ids: number[]; new: number[]; gaps: number[] }[];
}

testWithModel(
  "smollm2-135m-instruct",
  "SmolLM2-135M: logits over 256 positions within 1e-3 of transformers, 64 greedy tokens on 20 prompts",
  async (folder) => {
    const golden: SmolGolden = JSON.parse(Deno.readTextFileSync(`${GOLDEN}smollm2.json`));
    const { model, tokenizer } = await findModel(gpu, folder);
    await checkLogits(model, golden);
    // The golden texts end after the first end token.
    const generated = await greedy(model, tokenizer, golden.greedy.map(({ ids }) => ids), 64);
    let same = 0;
    for (const [i, { prompt, ids, new: expected, gaps }] of golden.greedy.entries()) {
      // Names of special tokens within a text are text here.
      if (!prompt.includes("<|")) assertEquals(tokenizer.encode(prompt), ids);
      const ours = generated[i].ids;
      const at = expected.findIndex((id, t) => ours[t] !== id);
      if (at < 0) {
        assertEquals(ours, expected);
        same++;
        continue;
      }
      console.error(
        `near tie: ${JSON.stringify(prompt)} differs at token ${at}, top logits ${gaps[at]} apart`,
      );
      assert(
        gaps[at] < 1e-3,
        `${prompt}: token ${at} is ${ours[at]}, not ${expected[at]}; ${gaps[at]} apart`,
      );
    }
    show(`greedy: ${same} of ${golden.greedy.length} texts identical`);
  },
);

async function checkLogits(model: Model, golden: SmolGolden): Promise<void> {
  const f32 = (text: string) => new Float32Array(Uint8Array.fromBase64(text).buffer);
  const [columns, top, logSumExp] = [golden.logits, golden.top, golden.logSumExp].map(f32);
  const topIds = new Int32Array(Uint8Array.fromBase64(golden.topIds).buffer);
  const rows = await logitsOf(model, golden.ids);
  assertEquals(rows.length, 256);
  let largest = 0;
  const compare = (ours: number, theirs: number) => largest = Math.max(largest, Math.abs(ours - theirs));
  const [width, tops] = [golden.columns.length, top.length / rows.length];
  rows.forEach((row, t) => {
    golden.columns.forEach((column, i) => compare(row[column], columns[t * width + i]));
    for (let i = 0; i < tops; i++) compare(row[topIds[t * tops + i]], top[t * tops + i]);
    const highest = row.reduce((a, b) => Math.max(a, b));
    compare(highest + Math.log(row.reduce((sum, z) => sum + Math.exp(z - highest), 0)), logSumExp[t]);
  });
  show(`ERROR ${largest.toExponential(1)} SmolLM2 logits, ${rows.length} positions`);
  assert(largest < 1e-3, `logits differ by ${largest}`);
}
