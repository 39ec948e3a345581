/** Steps that are looked at again after the rollouts are the steps that were taken, in every way of thinking. */
import { assert, assertEquals } from "@std/assert";
import { MOST_FEW } from "../../../gpu/ops/few/few_tokens.ts";
import { downloadMatrix } from "../../../gpu/matrix.ts";
import { generate } from "../../../model/generation/generate.ts";
import { lookBack, type SeenSteps } from "../../../model/generation/look_back.ts";
import { thinkingRules } from "../../../model/generation/thinking_text.ts";
import type { Thinking } from "../../../model/thinking/thinking.ts";
import {
  type AnyWay,
  UNTRAINED_WAYS,
  wayOfThinking,
  type WayOptions,
  WAYS,
} from "../../../model/thinking/ways.ts";
import { freeModel } from "../../../model/transformer/transformer.ts";
import { noiseRow } from "../../reference/random.ts";
import { assertClose, openTestGpu } from "../../gpu/support.ts";
import { embeddingRms, tinyModel } from "../../rl/support/tiny_model.ts";
import { tokenizer, USED } from "../support/small_models.ts";

const t = await openTestGpu();
const { gpu } = t;
const PROMPT = tokenizer.encode("User: Sam has 10 coins. How many coins does Sam have? Assistant:");
const DRAWS = { seed: 3, step: 7 };
const GROUP = 5;
const [GAMMA, D] = [0.4, 24];
/** One token in five ends the thinking, so that rollouts differ in their lengths. */
const ENDS = Array.from({ length: 15 }, (_, i) => 5 * i);

type Kind = Partial<WayOptions> & { way: AnyWay };
const KINDS: readonly Kind[] = [
  ...WAYS.filter((way) => way !== "hard").map((way) => ({ way })),
  ...UNTRAINED_WAYS.map((way) => ({ way, filters: { topK: 20 } })),
  { way: "soft", greedy: true },
  { way: "soft", antithetic: true },
  ...(["logits", "hidden", "top-logits"] as const).map((noiseOn) => ({ way: "soft", noiseOn } as const)),
  { way: "neighbours", rho: 0.5, weighting: "uniform" },
  { way: "gumbel", greedy: true },
];

/** Rollouts, the rows that they fed, and what their steps left of the logits, which an observer read as they were taken. */
async function withRollouts(
  { way, ...options }: Kind,
  test: (
    seen: SeenSteps[],
    steps: { fed: Float32Array; left: Float32Array; rollout: number; position: number; shadow: number }[],
    model: ReturnType<typeof tinyModel>,
    thinking: Thinking,
  ) => Promise<void>,
  mostRows = 1000,
) {
  const model = tinyModel(gpu);
  const rms = await embeddingRms(model);
  const thinking = wayOfThinking(way, { greedy: false, gamma: GAMMA, embeddingRms: rms, ...options });
  const rules = thinkingRules(tokenizer, { maxThinking: 9, maxAnswer: 3, endTokenIds: ENDS });
  const left: Promise<Float32Array>[][] = Array.from({ length: GROUP }, () => []);
  {
    using scratch = gpu.arena.scratch();
    const { rollouts, hidden } = await generate(model, tokenizer, {
      ...{ prompts: [PROMPT], group: GROUP, thinking, rules, answerTau: 1, ...DRAWS },
      rolloutIds: [4, 5, 6, 7, 8],
      onStep({ rows, z }) {
        const all = gpu.reader.read(z);
        rows.forEach(({ index, part, step }, r) => {
          const of = (bytes: ArrayBuffer) => new Float32Array(bytes, r * z.shape[1] * 4, USED);
          if (part === "thinking") left[index][step] = all.then(of);
        });
      },
    }, scratch);
    const passes = lookBack({
      ...{ model, thinking, prompt: PROMPT, hidden, ...DRAWS, mostRows, width: Math.min(MOST_FEW, USED) },
      rollouts: rollouts.map(({ index, thinking }) => ({ id: 4 + index, index, thinking })),
    });
    assertEquals(passes.reduce((sum, { count }) => sum + count, 0), GROUP);
    const seen: SeenSteps[] = [];
    for (const { fetch } of passes) seen.push(await fetch());
    const fed = new Float32Array(await gpu.reader.read(hidden));
    const steps = [];
    for (const { index, thinking } of rollouts) {
      for (const [s, shadow] of thinking.entries()) {
        const at = (index * hidden.shape[1] + s) * D;
        const place = { rollout: 4 + index, position: PROMPT.length + s, shadow };
        steps.push({ fed: fed.subarray(at, at + D), left: await left[index][s], ...place });
      }
    }
    await test(seen, steps, model, thinking);
  }
  freeModel(model);
}

const joined = (seen: SeenSteps[], pick: (one: SeenSteps) => ArrayLike<number>): number[] =>
  seen.flatMap((one) => Array.from(pick(one)));

for (const kind of KINDS) {
  const { way, ...options } = kind;
  Deno.test(`${[way, ...Object.values(options)].join(", ")}: the mixtures that are seen made the rows that were fed`, () =>
    withRollouts(kind, async (seen, steps, model, thinking) => {
      const table = await downloadMatrix(gpu, model.params.embedding);
      const width = seen[0].width;
      const ids = joined(seen, (one) => one.ids);
      const weights = joined(seen, (one) => one.weights);
      const probabilities = joined(seen, (one) => one.probabilities);
      const noise = joined(seen, (one) => one.noise);
      assertEquals([ids.length, weights.length], [steps.length * width, steps.length * width]);
      for (const [s, { fed, left, rollout, position }] of steps.entries()) {
        const mixed = Array.from({ length: width }, (_, j) => s * width + j);
        if (thinking.few === undefined) {
          // To the bit those that the step left, the heaviest first.
          const heaviest = [...left.keys()].sort((a, b) => left[b] - left[a] || a - b).slice(0, width);
          assertEquals(mixed.map((at) => ids[at]), heaviest);
          assertEquals(mixed.map((at) => weights[at]), heaviest.map((id) => left[id]));
        } else {
          const row = new Float64Array(D);
          for (const at of mixed) {
            for (let i = 0; i < D; i++) row[i] += weights[at] * table[ids[at] * D + i];
          }
          assertClose(`row of step ${s}`, fed, row);
          const sum = left.reduce((all, z) => all + Math.exp(z / thinking.tau), 0);
          const chances = mixed.map((at) => Math.exp(left[ids[at]] / thinking.tau) / sum);
          assertClose("probabilities", mixed.map((at) => probabilities[at]), chances);
        }
        if (!thinking.noise) continue;
        const n = kind.noiseOn === "logits" ? USED - USED % 4 : D;
        const pair = kind.antithetic ? rollout >> 1 : rollout;
        const eps = noiseRow({ ...DRAWS, domain: 0, position, rollout: pair }, n);
        assertClose("noise", [noise[s]], [Math.sqrt(eps.reduce((sum, e) => sum + e * e, 0) / n)]);
      }
      assertEquals(noise.length, thinking.noise ? steps.length : 0);
    }));
}

Deno.test("what a way leaves is what is seen of its probabilities where they are its weights", () =>
  withRollouts({ way: "soft" }, (seen) => {
    assertEquals(joined(seen, (one) => one.weights), joined(seen, (one) => one.probabilities));
    return Promise.resolve();
  }));

Deno.test("rollouts that do not fit one pass go in several, and are seen the same to the bit", async () => {
  const whole: number[][] = [];
  await withRollouts({ way: "gumbel" }, (seen, steps) => {
    assertEquals(seen.length, 1);
    const lengths = Map.groupBy(steps, ({ rollout }) => rollout).values().map((one) => one.length);
    assert(new Set(lengths).size > 1, "rollouts of many lengths");
    whole.push(joined(seen, (one) => one.weights));
    return Promise.resolve();
  });
  await withRollouts({ way: "gumbel" }, (seen) => {
    assert(seen.length > 1, `${seen.length} passes`);
    whole.push(joined(seen, (one) => one.weights));
    return Promise.resolve();
  }, PROMPT.length + 4);
  assertEquals(whole[0], whole[1]);
});
