/** Weights in training that are not f32: packed ones under an adapter, and a copy in f16 that rollouts are made with. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { wayOfThinking } from "../../model/thinking/ways.ts";
import { readParams } from "../../model/files/params_file.ts";
import { createHalfCopy, type HalfCopy } from "../../model/weights/half_copy.ts";
import { addAdapter } from "../../model/transformer/adapter.ts";
import { downloadMatrix } from "../../gpu/matrix.ts";
import { createModel, freeModel, type Model } from "../../model/transformer/transformer.ts";
import { planWeights } from "../../model/weights/weight_types.ts";
import type { StepMetrics } from "../../rl/step_metrics.ts";
import { trainStep } from "../../rl/train_step.ts";
import type { Trainer } from "../../rl/trainer.ts";
import { assertSameBits, openTestGpu } from "../gpu/support.ts";
import { packedWeights } from "../model/support/packed_weights.ts";
import { SMALL } from "../model/support/small_models.ts";
import { downloadNamed } from "./support/named_weights.ts";
import { SMALL_TRAINING, smallTrainer } from "./support/small_trainer.ts";
import { tinyModel } from "./support/tiny_model.ts";

const { gpu } = await openTestGpu();
const KINDS = ["hard", "soft", "fuzzy"] as const;

function trainerOf(model: Model, kind: typeof KINDS[number], copy?: HalfCopy): Trainer {
  const thinking = wayOfThinking(kind, { greedy: false, gamma: 0.33, embeddingRms: 0.1 });
  return smallTrainer(model, thinking, { ...SMALL_TRAINING, questions: 4 }, copy);
}

const mismatch = (metrics: StepMetrics) => [
  metrics.mismatch_thinking_max,
  metrics.mismatch_answer_max,
  metrics.mismatch_near_tie_max,
];

const flatten = (named: ReadonlyMap<string, ArrayLike<number>>) =>
  Float32Array.from([...named.values()].flatMap((values) => Array.from(values)));

const FUSED = ["v_proj", "up_proj"];
const TYPES = {
  "Q4_1 and Q8_0": (name: string) => name.includes("embed") ? "Q8_0" : "Q4_1",
  "Q4_0, Q8_0 and F16": (name: string) =>
    name.includes("down") ? "F16" : FUSED.some((part) => name.includes(part)) ? "Q8_0" : "Q4_0",
};

for (const [types, typeOf] of Object.entries(TYPES)) {
  for (const kind of KINDS) {
    Deno.test(`an adapter on ${types}, ${kind}: no mismatch, and the gradients and updates of f32, to the bit`, async () => {
      const config = { ...SMALL, intermediateSize: 96 };
      const file = packedWeights(config, typeOf, 5);
      const results: Float32Array[][] = [];
      for (const form of ["f32", "packed"] as const) {
        const model = createModel(gpu, config, planWeights(config, file, form, "test").types);
        readParams(gpu, config, file, model.params, "test");
        const adapter = addAdapter(model, { rank: 4, alpha: 8 }, 1);
        const trainer = trainerOf(model, kind);
        const made: Float32Array[] = [];
        for (let step = 1; step <= 3; step++) {
          const { metrics } = await trainStep(trainer, step);
          assert(metrics.gradient_norm > 0 && metrics.equal_groups < 1, "nothing was trained on");
          assertEquals(mismatch(metrics), [0, 0, 0]);
          made.push(flatten(await downloadNamed(gpu, config, trainer.grads)));
        }
        results.push([...made, flatten(await downloadNamed(gpu, config, adapter.params))]);
        freeModel(model);
      }
      const [whole, packed] = results;
      packed.forEach((values, i) => assertSameBits(i < 3 ? `gradients ${i}` : "weights", values, whole[i]));
    });
  }
}

for (const kind of KINDS) {
  Deno.test(`rollouts by a copy in f16, ${kind}: a mismatch of its rounding, and the copy follows each update`, async () => {
    const model = tinyModel(gpu);
    using copy = createHalfCopy(model);
    const trainer = trainerOf(model, kind, copy);
    for (let step = 1; step <= 3; step++) {
      const before = await downloadMatrix(gpu, model.params.layers[1].down);
      const { metrics } = await trainStep(trainer, step);
      assert(metrics.gradient_norm > 0, "nothing was trained on");
      // With so few tokens of nearly the same probability every step of soft thinking is a near-tie.
      const [thinking, answer, tie] = mismatch(metrics);
      assert(answer > 0 && answer < 0.02, `answers: ${answer}`);
      // Fuzzy thinking may be one token alone, in either type.
      if (kind !== "fuzzy") assert(Math.max(thinking, tie) > 0, "no mismatch was told");
      assert(thinking < 0.02 && tie < 0.02 || kind === "fuzzy", `thinking: ${thinking}, near ties: ${tie}`);
      const halves = await downloadMatrix(gpu, copy.model.params.layers[1].down);
      assertEquals(halves, Float32Array.from(new Float16Array(before)), "rollouts were of other weights");
    }
    assert(copy.model.params.finalNorm === model.params.finalNorm, "norms are shared");
    assertThrows(() => createHalfCopy(copy.model), Error, "it is f16, f32 is needed");
    freeModel(model);
  });
}
