import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  greedyAccuracy,
  pairedChange,
  passAtK,
  passAtKOver,
  usualKs,
} from "../../../eval/measures/pass_at_k.ts";
import { seededUniform } from "../../../eval/seeded_uniform.ts";
import { UserError } from "../../../gpu/errors.ts";

const isNear = (value: number, target: number, tolerance: number) =>
  assert(Math.abs(value - target) <= tolerance, `${value} is not within ${tolerance} of ${target}`);

/** Exact by BigInt: 1 - C(n-c, k) / C(n, k). */
function exact(n: number, c: number, k: number): number {
  const choose = (from: number, count: number) => {
    let result = 1n;
    for (let i = 0; i < count; i++) result = result * BigInt(from - i) / BigInt(i + 1);
    return count > from ? 0n : result;
  };
  const scale = 10n ** 30n;
  return Number(scale - choose(n - c, k) * scale / choose(n, k)) / 1e30;
}

Deno.test("pass@k equals the exact quotient of binomials", () => {
  for (const n of [1, 2, 5, 32, 200]) {
    for (let c = 0; c <= n; c += Math.max(1, n >> 4)) {
      for (const k of usualKs(n)) isNear(passAtK(n, c, k), exact(n, c, k), 1e-13);
    }
  }
  assertEquals(passAtK(32, 0, 8), 0);
  assertEquals(passAtK(32, 25, 8), 1);
  isNear(passAtK(10, 3, 1), 0.3, 1e-15);
});

Deno.test("pass@k holds for a million samples and for tiny chances", () => {
  isNear(passAtK(1_000_000, 1, 500_000), 0.5, 1e-12);
  isNear(passAtK(1_000_000, 1, 1), 1e-6, 1e-18);
  isNear(passAtK(1_000_000, 500_000, 64), 1, 1e-15);
});

Deno.test("pass@k is unbiased: over many draws its mean is the chance itself", () => {
  const uniform = seededUniform(5);
  const [chance, n, k, draws] = [0.2, 8, 4, 20_000];
  let sum = 0;
  for (let draw = 0; draw < draws; draw++) {
    let correct = 0;
    for (let i = 0; i < n; i++) if (uniform() < chance) correct++;
    sum += passAtK(n, correct, k);
  }
  isNear(sum / draws, 1 - (1 - chance) ** k, 0.01);
});

Deno.test("pass@k refuses fewer samples than k", () => {
  for (const [n, c, k] of [[4, 1, 8], [4, 5, 1], [4, 1, 0], [0, 0, 1], [4, 0.5, 1], [NaN, 0, 1]]) {
    assertThrows(() => passAtK(n, c, k), UserError, "at least k samples");
  }
});

Deno.test("bootstrap over questions agrees with the error of a mean, and repeats", () => {
  const uniform = seededUniform(1);
  const results = Array.from({ length: 200 }, () => ({ samples: 32, correct: Math.floor(uniform() * 33) }));
  const { value, standardError, questions } = passAtKOver(results, 1, 3);
  const shares = results.map(({ correct }) => correct / 32);
  const spread = shares.reduce((sum, share) => sum + (share - value) ** 2, 0) / 200;
  isNear(value, shares.reduce((a, b) => a + b) / 200, 1e-12);
  isNear(standardError / Math.sqrt(spread / 200), 1, 0.1);
  assertEquals(questions, 200);
  assertEquals(passAtKOver(results, 1, 3), passAtKOver(results, 1, 3));
  assert(passAtKOver(results, 1, 4).standardError !== standardError);
  assertThrows(() => passAtKOver([], 1), UserError);
});

Deno.test("greedy accuracy has the binomial error, never 0", () => {
  const half = greedyAccuracy([...Array(64).fill(true), ...Array(64).fill(false)]);
  assertEquals([half.value, half.questions], [0.5, 128]);
  isNear(half.standardError, 0.5 / Math.sqrt(128), 1e-15);
  const all = greedyAccuracy(Array(64).fill(true));
  assertEquals(all.value, 1);
  assert(all.standardError > 0.01 && all.standardError < 0.03);
  assertThrows(() => greedyAccuracy([]), UserError);
});

Deno.test("a paired change counts only what differs", () => {
  const before = [0, 0, 1, 1, 0, 1];
  const same = pairedChange(before, before);
  assertEquals([same.value, same.standardError], [0, 0]);
  const { value, standardError } = pairedChange(before, [1, 0, 1, 1, 1, 1]);
  isNear(value, 1 / 3, 1e-15);
  isNear(standardError, Math.sqrt((4 / 3) / 5 / 6), 1e-15);
  assertThrows(() => pairedChange([1, 0], [1]), UserError);
});

Deno.test("the usual k are powers of two", () => assertEquals(usualKs(33), [1, 2, 4, 8, 16, 32]));
