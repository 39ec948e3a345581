import { assert } from "@std/assert";
import { downloadMatrix, matrixOf } from "../../gpu/matrix.ts";
import { adamW } from "../../gpu/ops/adamw/adamw.ts";
import { globalNorm } from "../../gpu/ops/adamw/global_norm.ts";
import { adamWStep, clipByGlobalNorm, globalNorm as referenceNorm } from "../reference/adamw.ts";
import { assertClose, assertSameBits, openTestGpu, random32 } from "./support.ts";

const t = await openTestGpu();
const small = await openTestGpu({ maxBinding: 4096 });

const SHAPES = [[75, 60], [1, 7], [33, 12], [5, 512]];

for (const [where, on] of [["one chunk", t], ["chunks", small]] as const) {
  for (const clip of [0, 1, 1e6]) {
    Deno.test(`ten steps of AdamW, clipped at ${clip}, ${where}`, async () => {
      const settings = { lr: 3e-3, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.1, clip };
      const weights = SHAPES.map(([rows, cols], i) => random32(i, rows * cols));
      const state = SHAPES.map(([rows, cols], i) => ({
        weight: on.matrix(weights[i], rows, cols),
        first: on.matrix(new Float64Array(rows * cols), rows, cols),
        second: on.matrix(new Float64Array(rows * cols), rows, cols),
      }));
      const moments = weights.map((w) => [new Float64Array(w.length), new Float64Array(w.length)]);
      const start = weights.map((w) => w.slice());
      const norm = on.blank(1);
      for (let step = 1; step <= 10; step++) {
        const gradients = SHAPES.map(([rows, cols], i) =>
          random32(100 * step + i, rows * cols, step % 2 ? 2 : 0.001)
        );
        const grads = SHAPES.map(([rows, cols], i) => on.matrix(gradients[i], rows, cols));
        globalNorm(on.gpu, grads, norm);
        assertClose("norm", await on.read(norm), [referenceNorm(gradients)]);
        state.forEach((s, i) =>
          adamW(on.gpu, grads[i], norm, s.weight, s.first, s.second, { ...settings, step })
        );
        if (clip > 0) clipByGlobalNorm(gradients, clip);
        const options = { ...settings, learningRate: settings.lr, step };
        weights.forEach((w, i) => adamWStep(w, gradients[i], moments[i][0], moments[i][1], options));
      }
      for (const [i, s] of state.entries()) {
        const moved = (await downloadMatrix(on.gpu, s.weight)).map((value, j) => value - start[i][j]);
        assertClose("what the weights moved", moved, weights[i].map((value, j) => value - start[i][j]));
        assertClose("first moment", await downloadMatrix(on.gpu, s.first), moments[i][0]);
        assertClose("second moment", await downloadMatrix(on.gpu, s.second), moments[i][1]);
      }
    });
  }
}

Deno.test("one step with beta2 0.999 moves by the learning rate, whatever the gradient's size", async () => {
  const n = 64;
  const gradient = random32(1, n, 1e-3);
  const weight = t.matrix(new Float64Array(n), 1, n);
  const [first, second] = [t.matrix(new Float64Array(n), 1, n), t.matrix(new Float64Array(n), 1, n)];
  const settings = { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-12, weightDecay: 0, clip: 0, step: 1 };
  adamW(t.gpu, t.matrix(gradient, 1, n), t.f32([0]), weight, first, second, settings);
  assertClose("step", await downloadMatrix(t.gpu, weight), gradient.map((g) => -1e-3 * Math.sign(g)));
});

Deno.test("the norm of 20 million values, and twice the same bits", async () => {
  const n = 20_000_000;
  const value = t.gpu.arena.create([n / 100, 100], "f32", "many");
  t.gpu.commands.upload(value, new Float32Array(n).fill(0.125));
  const matrix = matrixOf(value);
  const [norm, again] = [t.blank(1), t.blank(1)];
  globalNorm(t.gpu, [matrix, matrix], norm);
  globalNorm(t.gpu, [matrix, matrix], again);
  assertClose("norm", await t.read(norm), [0.125 * Math.sqrt(2 * n)]);
  assertSameBits("norm", await t.read(again), await t.read(norm));
  t.gpu.arena.free(value);
});

Deno.test("a gradient of zeros has norm 0 and moves nothing", async () => {
  const zeros = new Float64Array(8);
  const [grad, weight] = [t.matrix(zeros, 1, 8), t.matrix(random32(1, 8), 1, 8)];
  const [first, second] = [t.matrix(zeros, 1, 8), t.matrix(zeros, 1, 8)];
  const norm = t.blank(1);
  globalNorm(t.gpu, [grad], norm);
  const settings = { lr: 1, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0, clip: 1, step: 1 };
  adamW(t.gpu, grad, norm, weight, first, second, settings);
  assert((await t.read(norm))[0] === 0);
  assertClose("weights", await downloadMatrix(t.gpu, weight), random32(1, 8), 0);
});
