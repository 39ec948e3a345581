import { assert, assertEquals } from "@std/assert";
import type { NoisePlace } from "../../../model/thinking/noise_on.ts";
import { type Way, wayOfThinking } from "../../../model/thinking/ways.ts";
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { generateJobs } from "../../../model/generation/generate_jobs.ts";
import { dryThinking, generationNeed } from "../../../model/memory/generation_memory.ts";
import { slotsThatFit } from "../../../model/memory/cache_budget.ts";
import { thinkingRules } from "../../../model/generation/thinking_text.ts";
import { randomModel, SMALL, tokenizer } from "../support/small_models.ts";

// Large enough that the weights do not hide what is forecast.
const SHAPE = { ...SMALL, layers: 4, hiddenSize: 128, heads: 8, kvHeads: 4, intermediateSize: 352 };
const PROMPT = tokenizer.encode(
  "User: Mia has 3 cards. Mia buys 4 more. How many cards does Mia have? Assistant:",
);
const MUTE = { ...tokenizer, tokenText: () => "", decode: () => "" };
const rules = thinkingRules(tokenizer, { maxThinking: 60, maxAnswer: 4, endTokenIds: [] });
const forcedTokens = rules.forcedIds.triggerAndBox.length;

const WAYS: [way: Way, noiseOn?: NoisePlace][] = [
  ...[["soft"], ["hard"], ["multiplex"], ["covariance"], ["neighbours"]] as [Way][],
  ...[["soft", "logits"], ["soft", "hidden"]] as [Way, NoisePlace][],
];
for (const [way, noiseOn] of WAYS) {
  for (
    const { prompts, group, atOnce } of [
      { prompts: 40, group: 1, atOnce: 256 },
      { prompts: 40, group: 1, atOnce: 12 },
      { prompts: 4, group: 8, atOnce: 256 },
    ]
  ) {
    const what = `${prompts} x ${group} ${way} rollouts${
      noiseOn ? `, noise on ${noiseOn}` : ""
    }, ${atOnce} at once at most`;
    Deno.test(`${what}: generation holds what was forecast`, async () => {
      const gpu = await openGpu();
      const model = randomModel(gpu, SHAPE);
      const jobs = Array.from({ length: prompts }, (_, b) => ({
        prompt: PROMPT,
        rolloutIds: Array.from({ length: group }, (_, g) => b * group + g),
      }));
      const thinking = wayOfThinking(way, {
        ...{ greedy: false, gamma: 0.1, embeddingRms: 0.1, noiseOn },
      });
      const settings = { thinking, rules, answerTau: 1, seed: 0, step: 0, atOnce };
      await generateJobs(model, MUTE, jobs, settings, { onRollout() {} });
      const { weights, total } = await generationNeed(
        SHAPE,
        {
          ...{ prompts, group, atOnce, thinking: dryThinking(way, { noiseOn }), forcedTokens },
          ...{ promptTokens: PROMPT.length, maxThinking: 60, answerTokens: 4 },
        },
        "f32",
        { facts: gpu },
      );
      const ratio = total / gpu.arena.peakBytes;
      assert(ratio > 0.97 && ratio < 1.03, `${total} bytes forecast, ${gpu.arena.peakBytes} held: ${ratio}`);
      assert(weights < 0.8 * total);
      gpu.close();
    });
  }
}

Deno.test("as many rollouts go at once as bindings allow, and their forecast follows", async () => {
  const gpu = await openGpu({ maxBinding: 2 ** 20 });
  const shape = { promptTokens: PROMPT.length, group: 1, maxNewTokens: 109 };
  const fitting = slotsThatFit(gpu, SHAPE, shape);
  // More would not: a cache of 2 MiB cannot be bound here.
  assert(fitting > 10 && fitting < 100, `${fitting} rollouts`);
  const need = (prompts: number) =>
    generationNeed(
      SHAPE,
      {
        ...{ prompts, group: 1, thinking: dryThinking("soft"), atOnce: 256, forcedTokens: 5 },
        ...{ promptTokens: PROMPT.length, maxThinking: 100, answerTokens: 4 },
      },
      "f32",
      { facts: gpu },
    );
  assertEquals(await need(fitting + 50), await need(fitting + 100));
  assert((await need(fitting)).total > (await need(fitting - 10)).total);
  gpu.close();
});
