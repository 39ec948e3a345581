/**
 * Tokens a second of ways of thinking as shares of hard thinking's, on SmolLM2-135M's shape, 16 rollouts of one prompt,
 * with distributions that are flat: each mixture then reads all of the embedding.
 *
 *     deno run -A tests/gpu_hour/measure_thinking.ts [--tiny]
 */
import { median } from "../../cli/bench/measure.ts";
import type { Way } from "../../model/thinking/ways.ts";
import { attentionFlops, blockFlops, headFlops } from "../../model/transformer/flops.ts";
import { PROMPT, rolloutSteps, shapeLogits } from "../bench/support/rollout_steps.ts";
import { measuring } from "./measuring.ts";
import type { Figure } from "./part.ts";
import { quickModel } from "./random_weights.ts";
import { SHAPES, tinyShape } from "./shapes.ts";

const tiny = Deno.args.includes("--tiny");
const shape = SHAPES["smollm2-135m"];
const config = tiny ? tinyShape(shape) : shape;
const [group, steps, rounds] = tiny ? [4, 8, 1] : [16, 32, 3];
const OTHERS: Way[] = ["soft", "fuzzy", "multiplex", "gumbel", "covariance"];
await measuring(async (gpu) => {
  const model = quickModel(gpu, config, "f32");
  shapeLogits(model, "flat");
  const hard: number[] = [];
  const shares = OTHERS.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    const base = await rolloutSteps(model, group, steps, "hard");
    if (round > 0) hard.push(group * steps / base);
    for (const [i, way] of OTHERS.entries()) {
      const seconds = await rolloutSteps(model, group, steps, way);
      if (round > 0) shares[i].push(base / seconds); // the first round compiles
    }
  }
  const work = blockFlops(config) + headFlops(config) + attentionFlops(config, PROMPT + steps / 2, 1);
  const bound = (work / (work + headFlops(config))).toFixed(2);
  return [
    { what: "hard", value: median(hard), unit: "tokens/s" },
    ...OTHERS.map((way, i): Figure => ({
      what: `${way} over hard`,
      value: median(shares[i]),
      unit: "",
      near: way === "soft" || way === "fuzzy" ? `at most ${bound} by its operations` : "1",
    })),
  ];
});
