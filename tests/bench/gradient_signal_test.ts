import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { randomArray } from "../reference/support.ts";
import {
  compareShares,
  estimateShare,
  type Gram,
  gramOf,
  scaledToOne,
  signalShare,
} from "./support/gradient_signal.ts";

const [WIDTH, BATCHES] = [200, 16];

/** Gradients of a mean of squared length 1 in noise of squared length `noise` in the mean: the share is 1 / (1 + noise). */
function gradients(seed: number, noise: number): Float32Array[] {
  return Array.from({ length: BATCHES }, (_, i) => {
    const random = randomArray(BATCHES * seed + i, WIDTH, Math.sqrt(noise / WIDTH));
    return Float32Array.from(random, (value) => value + 1 / Math.sqrt(WIDTH));
  });
}

Deno.test("inner products are those of the vectors, and a batch left out counts nowhere", () => {
  const gram = gramOf([[1, 2], [3, -1], [0, 2]].map((values) => Float32Array.from(values)));
  assertEquals(gram, [[5, 1, 4], [1, 10, -2], [4, -2, 4]]);
  assertAlmostEquals(signalShare(gram), (2 * 3 / 6) / (19 / 3), 1e-12);
  assertAlmostEquals(signalShare(gram, 1), 4 / (9 / 2), 1e-12);
  const cosines = [1 / Math.sqrt(50), 4 / Math.sqrt(20), -2 / Math.sqrt(40)];
  const mean = cosines.reduce((sum, cosine) => sum + cosine, 0) / 3;
  assertAlmostEquals(signalShare(scaledToOne(gram)), mean, 1e-12);
  assertEquals(scaledToOne([[0, 0], [0, 4]]), [[0, 0], [0, 1]]);
});

for (const noise of [0.5, 4, 30]) {
  Deno.test(`noise of ${noise} times the signal: the share is found without bias, and its error as it is`, () => {
    const found = Array.from({ length: 60 }, (_, seed) => estimateShare(gramOf(gradients(seed, noise))));
    const mean = found.reduce((sum, { value }) => sum + value, 0) / found.length;
    const spread = Math.sqrt(
      found.reduce((sum, { value }) => sum + (value - mean) ** 2, 0) / (found.length - 1),
    );
    const truth = 1 / (1 + noise);
    assert(Math.abs(mean - truth) < 4 * spread / Math.sqrt(found.length), `${mean}, not ${truth}`);
    const told = Math.sqrt(found.reduce((sum, { error }) => sum + error ** 2, 0) / found.length);
    assert(told > 0.75 * spread && told < 1.6 * spread, `an error of ${told} told, ${spread} found`);
  });
}

Deno.test("ways are told apart where they differ, and not where they do not", () => {
  const gram = (seed: number, noise: number): Gram => gramOf(gradients(seed, noise));
  const { value, error } = compareShares(gram(1, 1), gram(2, 9));
  assertAlmostEquals(value, 0.5 - 0.1, 4 * error);
  assert(value > 5 * error);
  const apart = Array.from({ length: 40 }, (_, i) => compareShares(gram(100 + i, 4), gram(200 + i, 4)))
    .filter(({ value, error }) => Math.abs(value) > 2 * error).length;
  assert(apart <= 6, `${apart} of 40 pairs of equals told apart`);
  assertEquals(compareShares(gram(3, 4), gram(3, 4)), { value: 0, error: 0 });
  assertThrows(() => estimateShare([[1]]), Error, "at least 3");
});
