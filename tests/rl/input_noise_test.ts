/** Noise on the input rows of demonstrations: which rows get it, and that its numbers are the generator's. */
import { assert, assertEquals } from "@std/assert";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { Domain } from "../../gpu/random.ts";
import { createModel, freeModel } from "../../model/transformer/transformer.ts";
import { initialise } from "../../model/transformer/initialise.ts";
import { createParams, freeParams, zeroParams } from "../../model/transformer/params.ts";
import { accumulateCrossEntropy, type Example } from "../../rl/cross_entropy.ts";
import { addInputNoise } from "../../rl/input_noise.ts";
import { noiseRow } from "../reference/random.ts";
import { maxAbsoluteError } from "../reference/support.ts";
import { makeToy } from "../reference/toy.ts";

const { config } = makeToy("hard", { tied: true });
const d = config.hiddenSize;
const NOISE = { sigma: 0.7, seed: 11, step: 3 };

async function withModel(test: (model: ReturnType<typeof createModel>) => Promise<void>) {
  const gpu = await openGpu();
  const model = createModel(gpu, config);
  initialise(gpu, config, model.params, 1);
  await test(model);
  freeModel(model);
  gpu.close();
}

Deno.test("noisy rows get sigma times the generator's normals, by example and position; the others keep their bits", () =>
  withModel(async (model) => {
    const { gpu } = model;
    using scratch = gpu.arena.scratch();
    const before = Float32Array.from({ length: 7 * d }, (_, i) => Math.fround(Math.sin(i)));
    const x = scratch.f32([7, d], "rows");
    gpu.commands.upload(x, before);
    const noisy = [{ row: 5, example: 4, position: 9 }, { row: 2, example: 0, position: 31 }];
    addInputNoise(model, x, noisy, NOISE);
    const after = new Float32Array(await gpu.reader.read(x));
    for (let row = 0; row < 7; row++) {
      const clean = before.subarray(row * d, (row + 1) * d);
      const found = after.subarray(row * d, (row + 1) * d);
      const who = noisy.find((one) => one.row === row);
      if (!who) {
        assertEquals(found, clean);
        continue;
      }
      const address = {
        ...{ seed: NOISE.seed, domain: Domain.demonstrations },
        ...{ position: who.position, rollout: who.example, step: NOISE.step },
      };
      const wanted = noiseRow(address, d).map((eps, i) => clean[i] + NOISE.sigma * eps);
      assert(maxAbsoluteError(found, wanted) < 1e-6, `row ${row}`);
    }
  }));

Deno.test("the loss is that of noisy completions: repeated to the bit, another with another step, and as without noise for sigma 0", () =>
  withModel(async (model) => {
    const { gpu } = model;
    const examples: Example[] = [{ ids: [1, 2, 3, 4, 0], from: 2 }, { ids: [3, 1, 2], from: 1 }];
    const grads = createParams(gpu, config, "f32", "gradient");
    const logp = async (noise?: { sigma: number; seed: number; step: number }) => {
      zeroParams(gpu, grads);
      return [...await accumulateCrossEntropy(model, grads, examples, 1, false, noise)()];
    };
    const clean = await logp();
    assertEquals(await logp({ ...NOISE, sigma: 0 }), clean);
    const noisy = await logp(NOISE);
    assertEquals(await logp(NOISE), noisy);
    // The first predicted token of an example is read from its prompt alone, and the prompt has no noise.
    assertEquals([noisy[0], noisy[3]], [clean[0], clean[3]]);
    for (const i of [1, 2, 4]) assert(noisy[i] !== clean[i], `token ${i} is as without noise`);
    assert((await logp({ ...NOISE, step: 4 }))[1] !== noisy[1]);
    freeParams(gpu, grads);
  }));
