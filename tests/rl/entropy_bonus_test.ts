/** What --entropy-bonus adds to an update: the gradient of the entropies of all actions, against differences of them in f64. */
import { assert } from "@std/assert";
import { gaussianThinking } from "../../model/thinking/gaussian.ts";
import { random32 } from "../gpu/support.ts";
import { toyLogits } from "../reference/exact_toy.ts";
import { softmax } from "../reference/softmax.ts";
import { makeToy, type Toy } from "../reference/toy.ts";
import type { Weights } from "../reference/transformer.ts";
import { estimateOnDevice, GROUP, withToy } from "./support/toy_batch.ts";

/** Entropies (nats) of the distributions that `rows` rows of logits have at temperature 1, summed. */
function entropies(logits: Float64Array, rows: number, vocabSize: number): number {
  const { probabilities } = softmax(logits, rows, vocabSize);
  return -probabilities.reduce((sum, p) => sum + p * Math.log(p), 0);
}

/** The entropies of both thoughts and the answer of all rollouts; thoughts [rollouts, 2, d] stay as they were fed. */
function totalEntropy(toy: Toy, thoughts: Float64Array): number {
  const { hiddenSize: d, vocabSize } = toy.config;
  const first = Float64Array.from(
    { length: GROUP * d },
    (_, i) => thoughts[Math.floor(i / d) * 2 * d + i % d],
  );
  return GROUP * entropies(toyLogits(toy, new Float64Array(0), 1), 1, vocabSize) +
    entropies(toyLogits(toy, first, GROUP), GROUP, vocabSize) +
    entropies(toyLogits(toy, thoughts, GROUP), GROUP, vocabSize);
}

Deno.test("the bonus adds the gradient of the entropies, so that an update raises them", async () => {
  const toy = makeToy("soft");
  await withToy(toy, async (on) => {
    const thinking = gaussianThinking("soft", toy.tau, toy.sigma);
    const plain = (await estimateOnDevice(on, thinking, 0)).gradients;
    const { gradients, thoughts } = await estimateOnDevice(on, thinking, 0, 1);
    const fed = Float64Array.from(thoughts!);
    for (let trial = 0; trial < 6; trial++) {
      const direction: Weights = new Map(
        [...toy.weights].map((
          [name, values],
          i,
        ) => [name, Float64Array.from(random32(100 * trial + i, values.length))]),
      );
      const at = (h: number) =>
        totalEntropy({
          ...toy,
          weights: new Map(
            [...toy.weights].map(([name, values]) => [
              name,
              values.map((x, i) => x + h * direction.get(name)![i]),
            ]),
          ),
        }, fed);
      const wanted = (at(1e-5) - at(-1e-5)) / 2e-5 / GROUP;
      let found = 0;
      for (const [name, values] of direction) {
        values.forEach((x, i) => found -= x * (gradients.get(name)![i] - plain.get(name)![i]));
      }
      assert(
        Math.abs(found - wanted) < 1e-4 * Math.max(1, Math.abs(wanted)),
        `${found}, but the entropies give ${wanted}`,
      );
    }
  });
});
