import { assert, assertEquals } from "@std/assert";
import { divergence } from "../../gpu/ops/categorical/divergence.ts";
import { softmax } from "../reference/softmax.ts";
import { assertClose, openTestGpu, random32 } from "./support.ts";

const t = await openTestGpu();

/** KL(softmax(z / tau) || softmax(base / tau)) of one row, in nats. */
function reference(z: Float64Array, base: Float64Array, tau: number): number {
  const [p, q] = [z, base].map((row) => {
    const { logSumExp: [all] } = softmax(row, 1, row.length, tau);
    return row.map((value) => value / tau - all);
  });
  return p.reduce((sum, logp, i) => {
    const d = q[i] - logp;
    // Terms are at least 0, so that no small divergence is lost; far away exp(d) would be infinite.
    return sum + (d < 1 ? Math.exp(logp) * (Math.expm1(d) - d) : Math.exp(q[i]) - Math.exp(logp) * (1 + d));
  }, 0);
}

async function compare(rows: number, vocab: number, width: number, tau: number, shift: number) {
  const z = random32(vocab, rows * width, 2);
  const base = random32(vocab + 1, rows * width, shift).map((value, i) => Math.fround(z[i] + value));
  const kl = t.blank(rows);
  divergence(t.gpu, t.f32(z, [rows, width]), t.f32(base, [rows, width]), vocab, tau, kl);
  const row = (of: Float64Array, r: number) => of.slice(r * width, r * width + vocab);
  return {
    found: await t.read(kl),
    expected: Float64Array.from({ length: rows }, (_, r) => reference(row(z, r), row(base, r), tau)),
  };
}

for (const [rows, vocab, width] of [[5, 7, 8], [67, 80, 80], [3, 2049, 2052], [2, 151936, 151936]]) {
  for (const [tau, shift] of [[1, 1], [0.5, 0.02], [1e-4, 3]]) {
    Deno.test(`${rows} rows over ${vocab} tokens at temperature ${tau}, ${shift} apart`, async () => {
      const { found, expected } = await compare(rows, vocab, width, tau, shift);
      assert(expected.some((value) => value > 0));
      assertClose("divergence", found, expected);
    });
  }
}

Deno.test("logits a thousandth apart: of 1e-6 nats nothing is lost by rounding", async () => {
  const { found, expected } = await compare(9, 1000, 1000, 1, 1e-3);
  assert(expected.every((value) => value < 1e-6));
  assertClose("divergence", found, expected, 1e-6);
});

Deno.test("equal rows diverge by exactly 0, at any temperature", async () => {
  for (const tau of [1, 0.5, 1e-4]) {
    const { found } = await compare(4, 2049, 2052, tau, 0);
    assertEquals([...found], [0, 0, 0, 0]);
  }
});
