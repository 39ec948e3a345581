import { assertEquals } from "@std/assert";
import { entropyGradient } from "../../gpu/ops/categorical/entropy_gradient.ts";
import { softmax } from "../reference/softmax.ts";
import { assertClose, openTestGpu, random32 } from "./support.ts";

const t = await openTestGpu();

const entropyOf = (z: Float64Array): number => {
  const top = z.reduce((a, b) => Math.max(a, b));
  const weights = z.map((value) => Math.exp(value - top));
  const sum = weights.reduce((a, b) => a + b, 0);
  return -weights.reduce((total, weight) => total + weight / sum * Math.log(weight / sum), 0);
};

/** The gradient of -factor H, p (ln p + H). */
function gradientOf(z: Float64Array, factor: number): Float64Array {
  const { probabilities } = softmax(z, 1, z.length);
  const entropy = entropyOf(z);
  return probabilities.map((p) => factor * p * (Math.log(p) + entropy));
}

Deno.test("the reference's gradient follows central differences of the entropy", () => {
  const z = random32(3, 9, 2);
  const h = 1e-5;
  const differences = z.map((_, c) => {
    const at = (shift: number) => entropyOf(z.map((value, i) => i === c ? value + shift : value));
    return -0.75 * (at(h) - at(-h)) / (2 * h);
  });
  assertClose("gradient", gradientOf(z, 0.75), differences, 1e-16);
});

for (const [rows, vocab, width] of [[5, 7, 8], [3, 2049, 2052], [1, 151936, 151936]]) {
  Deno.test(`the gradient of ${rows} rows' entropies over ${vocab} tokens`, async () => {
    const z = random32(vocab, rows * width, 2);
    const device = t.f32(z, [rows, width]);
    entropyGradient(t.gpu, device, vocab, 0.75);
    const found = await t.read(device);
    for (let r = 0; r < rows; r++) {
      const own = found.subarray(r * width, (r + 1) * width);
      assertClose(
        `row ${r}`,
        own.subarray(0, vocab),
        gradientOf(z.slice(r * width, r * width + vocab), 0.75),
      );
      assertEquals([...own.subarray(vocab)], new Array(width - vocab).fill(0));
    }
  });
}
