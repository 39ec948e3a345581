/** Ways of mixing a few tokens: the kernels against the f64 references of the ways, fed the numbers of the same generator. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { choose } from "../../gpu/ops/choose/choose.ts";
import { type FewWeighing, weighFew } from "../../gpu/ops/few/few_weights.ts";
import { drawsScore, drawTokens, MOST_FEW, scatterTokens } from "../../gpu/ops/few/few_tokens.ts";
import { downloadMatrix } from "../../gpu/matrix.ts";
import { mixRows, mixRowsBackward } from "../../gpu/ops/few/mix_rows.ts";
import { noiseMismatch } from "../../gpu/ops/mixture/noise.ts";
import { Domain } from "../../gpu/random.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import { normalsFromWords, philox, uniformFromWord } from "../reference/random.ts";
import { softmax } from "../reference/softmax.ts";
import { dirichletWay } from "../reference/ways/dirichlet.ts";
import { GAMMA_TRIES } from "../reference/ways/gamma.ts";
import { gumbelWay } from "../reference/ways/gumbel.ts";
import { logitNoiseWay } from "../reference/ways/logit_noise.ts";
import {
  logProbabilitiesOf,
  pick,
  probabilitiesOf,
  type StepInput,
  topTokens,
} from "../reference/ways/way.ts";
import { assertClose, assertSameBits, openTestGpu, random16, random32 } from "./support.ts";

const t = await openTestGpu();
// Embeddings in several chunks.
const small = await openTestGpu({ maxBinding: 16384 });
const KEY = { seed: 5, domain: Domain.noise, step: 9 };

/** u32 [rows, 4]: rows in slots of their own, of rollouts and positions of their own. */
const infoOf = (rows: number): Tensor =>
  t.u32(Array.from({ length: rows }, (_, r) => [r, 3 * r + 1, 0, 40 + r]).flat(), [rows, 4]);

const recordOf = (rows: number) => ({
  tokens: t.u32(new Array(rows).fill(0), [rows, 1]),
  stats: t.blank(rows, 1, 4),
  column: 0,
});

/** The words of a token's draw, as the kernels address them. */
const wordsOf = (row: number, id: number, attempt = 0) =>
  philox([id + attempt * 2 ** 20, 40 + row, 3 * row + 1, KEY.step], [KEY.seed, KEY.domain]);

const stepOf = (rows: number, k: number) => ({
  ids: t.u32(new Array(rows * k).fill(0), [rows, k]),
  values: t.blank(rows, k),
});

/** What {@link weighFew} makes of logits [rows, width]: tokens, weights, scores where they are wanted, and the step's tokens. */
async function weighed(
  how: FewWeighing,
  z: Float64Array | number[],
  { rows, vocab, width, k }: { rows: number; vocab: number; width: number; k: number },
  withScores = false,
) {
  const [few, record, chosen] = [stepOf(rows, k), recordOf(rows), t.u32(new Array(rows).fill(0), [rows])];
  const scores = withScores ? t.blank(rows, k) : undefined;
  const at = { info: infoOf(rows), shift: 0, key: KEY };
  weighFew(t.gpu, how, t.f32(z, [rows, width]), vocab, few, at, record, chosen, scores);
  return {
    ids: await t.readU32(few.ids),
    weights: await t.read(few.values),
    scores: scores ? await t.read(scores) : new Float32Array(0),
    tokens: await t.readU32(record.tokens),
    stats: await t.read(record.stats),
    chosen: await t.readU32(chosen),
  };
}

/** Logits of which no two are equal, with a few large ones. */
function logitsOf(seed: number, rows: number, width: number, scale = 1): Float64Array {
  return random32(seed, rows * width, scale);
}

const inputOf = (z: Float64Array): StepInput => ({
  logits: z,
  table: new Float64Array(z.length),
  hidden: new Float64Array(0),
  head: new Float64Array(0),
});

const SIZES = [
  { rows: 3, vocab: 5, width: 8, k: 5 },
  { rows: 7, vocab: 75, width: 80, k: 5 },
  { rows: 2, vocab: 2049, width: 2052, k: MOST_FEW },
  { rows: 1, vocab: 151936, width: 151936, k: 16 },
  { rows: 70, vocab: 75, width: 80, k: 1 },
];

for (const size of SIZES) {
  const { rows, vocab, width, k } = size;
  Deno.test(`the ${k} likeliest of ${vocab} tokens in ${rows} rows, and their probabilities among themselves`, async () => {
    const z = logitsOf(vocab + k, rows, width, 2);
    // Without noise and at temperature 1 the weights are p^ itself.
    const how = { kind: "gumbel", tau: 0.7, random: false, temperature: 1, score: "weights" } as const;
    const { ids, weights, tokens, chosen, stats } = await weighed(how, z, size);
    const [record, alone] = [recordOf(rows), t.u32(new Array(rows).fill(0), [rows])];
    choose(t.gpu, "greedy", t.f32(z, [rows, width]), vocab, 0.7, infoOf(rows), 0, record, alone, KEY);
    assertSameBits("statistics", stats, await t.read(record.stats));
    for (let r = 0; r < rows; r++) {
      const row = z.subarray(r * width, r * width + vocab);
      const wanted = topTokens(row, k);
      assertEquals([...ids.subarray(r * k, (r + 1) * k)], wanted);
      assertEquals([tokens[r], chosen[r]], [wanted[0], wanted[0]]);
      assertClose(
        `p^ of row ${r}`,
        weights.subarray(r * k, (r + 1) * k),
        logProbabilitiesOf(pick(row, wanted), 0.7).map(Math.exp),
      );
    }
  });
}

Deno.test("equal logits are taken by ascending id, and what is no token never", async () => {
  const how = { kind: "dirichlet", tau: 1, random: false, alpha: 1 } as const;
  const size = { rows: 1, vocab: 5, width: 8, k: 4 };
  assertEquals([...(await weighed(how, [1, 3, 3, 2, 3, 9, 9, 9], size)).ids], [1, 2, 4, 3]);
  for (const [vocab, width] of [[40, 40], [3000, 3008]]) {
    const all = { rows: 2, vocab, width, k: MOST_FEW };
    const { ids } = await weighed(how, new Array(2 * width).fill(1), all);
    const wanted = Array.from({ length: MOST_FEW }, (_, i) => i);
    assertEquals([...ids], [...wanted, ...wanted]);
  }
  for (const [k, vocab] of [[6, 5], [MOST_FEW + 1, 40]]) {
    const size = { rows: 1, vocab, width: 40, k };
    await assertRejects(
      () => weighed(how, new Array(40).fill(0), size),
      Error,
      `Cannot weigh the ${k} likeliest`,
    );
  }
});

for (const form of ["low-variance", "published"] as const) {
  Deno.test(`gumbel, ${form}: weights, shadow and score are the reference's for the same uniforms`, async () => {
    const [rows, vocab, width, k, tau] = [40, 75, 80, 5, 0.8];
    const z = logitsOf(31, rows, width, 1.5);
    const score = form === "published" ? form : "weights";
    const how = { kind: "gumbel", tau, random: true, temperature: 0.1, score } as const;
    const way = gumbelWay({ tau, width: k, gumbelTau: 0.1, form });
    const { weights, scores, tokens } = await weighed(how, z, { rows, vocab, width, k }, true);
    const wanted = { weights: [] as number[], scores: [] as number[] };
    for (let r = 0; r < rows; r++) {
      const input = inputOf(z.subarray(r * width, r * width + vocab));
      const uniforms = topTokens(input.logits, k).map((id) => uniformFromWord(wordsOf(r, id)[0]));
      const { action, shadow } = way.act(input, { uniforms, normals: [] });
      assertEquals(tokens[r], shadow);
      wanted.weights.push(...action.weights);
      wanted.scores.push(...pick(way.score(input, action).logits!, action.tokens));
    }
    // A tenth of a temperature makes ten of a rounding of the logarithms.
    assertClose("weights", weights, wanted.weights, 1e-10);
    assertClose("score", scores, wanted.scores, 1e-10);
  });
}

for (const alpha of [0.3, 2, 40]) {
  Deno.test(`dirichlet, alpha ${alpha}: weights, shadow and score are the reference's for the same numbers`, async () => {
    const [rows, vocab, width, k, tau] = [40, 75, 80, 5, 1.2];
    const z = logitsOf(32, rows, width, 1.5);
    const how = { kind: "dirichlet", tau, random: true, alpha } as const;
    const way = dirichletWay({ tau, width: k, alpha });
    const { weights, scores, tokens } = await weighed(how, z, { rows, vocab, width, k }, true);
    const wanted = { weights: [] as number[], scores: [] as number[] };
    for (let r = 0; r < rows; r++) {
      const input = inputOf(z.subarray(r * width, r * width + vocab));
      const ids = topTokens(input.logits, k);
      const tries = Array.from({ length: GAMMA_TRIES }, (_, i) => i);
      const normals = ids.flatMap((id) => tries.map((i) => normalsFromWords(wordsOf(r, id, i))[0]));
      const uniforms = ids.flatMap((id) => [
        ...tries.map((i) => uniformFromWord(wordsOf(r, id, i)[2])),
        uniformFromWord(wordsOf(r, id)[3]),
      ]);
      const { action, shadow } = way.act(input, { uniforms, normals });
      assertEquals(tokens[r], shadow);
      wanted.weights.push(...action.weights);
      wanted.scores.push(...pick(way.score(input, action).logits!, action.tokens));
    }
    assertClose("weights", weights, wanted.weights, 1e-10);
    assertClose("score", scores, wanted.scores, 1e-10);
  });
}

for (const score of ["mean", "whole"] as const) {
  for (const eta of [0.1, 1]) {
    Deno.test(`covariance, eta ${eta}, score of the ${score}: weights and score by their formulas`, async () => {
      const [rows, vocab, width, k, tau] = [40, 75, 80, 16, 0.9];
      const z = logitsOf(33, rows, width, 1.5);
      const how = { kind: "covariance", tau, random: true, eta, score } as const;
      const { weights, scores } = await weighed(how, z, { rows, vocab, width, k }, true);
      const wanted = { weights: [] as number[], scores: [] as number[] };
      for (let r = 0; r < rows; r++) {
        const row = z.subarray(r * width, r * width + vocab);
        const ids = topTokens(row, k);
        const p = softmax(pick(row, ids), 1, k, tau).probabilities;
        const e = ids.map((id) => normalsFromWords(wordsOf(r, id))[0]);
        const along = p.reduce((sum, value, i) => sum + Math.sqrt(value) * e[i], 0);
        const f = p.map((value, i) => e[i] - Math.sqrt(value) * along);
        wanted.weights.push(...p.map((value, i) => value + eta * Math.sqrt(value) * f[i]));
        const q = f.map((value, i) => score === "whole" ? (value ** 2 - 1 + p[i]) / 2 : 0);
        const sum = q.reduce((a, b) => a + b, 0);
        wanted.scores.push(
          ...p.map((value, i) => (Math.sqrt(value) * f[i] / eta + q[i] - value * sum) / tau),
        );
      }
      assertClose("weights", weights, wanted.weights, 1e-11);
      assertClose("score", scores, wanted.scores, 1e-9);
    });
  }
}

for (const score of ["mean", "whole"] as const) {
  Deno.test(`noise on the largest logits, score of the ${score}: weights, shadow and score are the reference's`, async () => {
    const [rows, vocab, width, k, tau, scale] = [40, 75, 80, 5, 0.8, 0.4];
    const z = logitsOf(34, rows, width, 1.5);
    const how = { kind: "noisy_logits", tau, random: true, scale, score } as const;
    const follows = score === "whole" ? "own" : "published";
    const way = logitNoiseWay({ tau, width: k, scale, follows, differences: true });
    const { weights, scores, tokens } = await weighed(how, z, { rows, vocab, width, k }, true);
    const wanted = { weights: [] as number[], scores: [] as number[] };
    for (let r = 0; r < rows; r++) {
      const input = inputOf(z.subarray(r * width, r * width + vocab));
      const normals = topTokens(input.logits, k).map((id) => normalsFromWords(wordsOf(r, id))[0]);
      const { action, shadow } = way.act(input, { uniforms: [], normals });
      assertEquals(tokens[r], shadow);
      wanted.weights.push(...probabilitiesOf(action.noisy, tau));
      wanted.scores.push(...pick(way.score(input, action).logits!, action.tokens));
    }
    assertClose("weights", weights, wanted.weights, 1e-11);
    assertClose("score", scores, wanted.scores, 1e-11);
  });
}

for (
  const { rows, vocab, width, k } of [
    { rows: 300, vocab: 5, width: 8, k: 3 },
    { rows: 40, vocab: 3001, width: 3004, k: 8 },
    { rows: 1, vocab: 151936, width: 151936, k: 32 },
  ]
) {
  Deno.test(`${k} draws a row from ${vocab} logits follow their probabilities, and their score is the reference's`, async () => {
    const z = logitsOf(51, rows, width, 2);
    const p = Array.from(
      { length: rows },
      (_, r) => softmax(z.subarray(r * width, r * width + vocab), 1, vocab, 0.9).probabilities,
    );
    const [few, record, chosen] = [stepOf(rows, k), recordOf(rows), t.u32(new Array(rows).fill(0), [rows])];
    const at = { info: infoOf(rows), shift: 0, key: KEY };
    drawTokens(t.gpu, t.f32(z, [rows, width]), vocab, 0.9, at, record, chosen, few);
    const ids = await t.readU32(few.ids);
    const tokens = await t.readU32(record.tokens);
    assert([...await t.read(few.values)].every((value) => value === Math.fround(1 / k)));
    // Each draw lands where its uniform does in its own order of tokens: lane by lane, of 8 or 256.
    const lanes = vocab <= 2048 ? 8 : 256;
    for (let r = 0; r < rows; r++) {
      assertEquals(tokens[r], ids[r * k]);
      const order = Array.from({ length: vocab }, (_, i) => i).sort((a, b) => a % lanes - b % lanes || a - b);
      for (let j = 0; j < k; j++) {
        const u = uniformFromWord(philox([j, 40 + r, 3 * r + 1, KEY.step], [KEY.seed, KEY.domain])[0]);
        let below = 0;
        for (const id of order) {
          if (id === ids[r * k + j]) break;
          below += p[r][id];
        }
        const own = p[r][ids[r * k + j]];
        assert(
          u > below - 1e-4 && u < below + own + 1e-4,
          `row ${r}, draw ${j}: ${u} beside ${below} + ${own}`,
        );
      }
    }
    drawTokens(t.gpu, t.f32(z, [rows, width]), vocab, 0.9, at, record, chosen, few, "probability");
    assertEquals(await t.readU32(few.ids), ids);
    const shares = Array.from({ length: rows }, (_, r) => {
      const own = [...ids.subarray(r * k, (r + 1) * k)].map((id) => p[r][id]);
      return own.map((value) => value / own.reduce((a, b) => a + b, 0));
    });
    assertClose("weights by probability", await t.read(few.values), shares.flat(), 1e-11);
    const factor = random32(7, rows);
    const dz = t.f32(z, [rows, width]);
    choose(t.gpu, "mixture", dz, vocab, 0.9, infoOf(rows), 0, record, chosen, KEY);
    const stats = t.blank(rows, 4);
    drawsScore(t.gpu, dz, vocab, 0.9, few.ids, t.f32(factor, [rows]), 0, stats, infoOf(rows), record);
    const chances = await t.read(record.stats);
    assert([...await t.read(stats)].every((value, i) => i % 4 !== 1 || value === chances[i - 1]));
    const wanted = new Float64Array(rows * width);
    p.forEach((row, r) => {
      row.forEach((value, c) => wanted[r * width + c] = -factor[r] * k * value / 0.9);
      for (let j = 0; j < k; j++) wanted[r * width + ids[r * k + j]] += factor[r] / 0.9;
    });
    assertClose("score", await t.read(dz), wanted, 1e-10);
  });
}

Deno.test("scattered numbers: added where an id comes twice, bounded by the clip where none does, zero elsewhere", async () => {
  const [rows, width, k] = [11, 80, 3];
  const scattered = async (ids: number[], values: number[], factor: number[], clip: number) => {
    const few = { ids: t.u32(ids, [rows, k]), values: t.f32(values, [rows, k]) };
    const [out, stats] = [t.blank(rows, width), t.blank(rows, 4)];
    scatterTokens(t.gpu, few, t.f32(factor, [rows]), out, clip, stats);
    const wanted = new Float64Array(rows * width);
    const norms: number[] = [];
    for (let r = 0; r < rows; r++) {
      const own = [0, 1, 2].map((j) => factor[r] * values[r * k + j]);
      norms.push(Math.hypot(...own));
      const scale = clip > 0 && norms[r] > clip ? clip / norms[r] : 1;
      own.forEach((value, j) => wanted[r * width + ids[r * k + j]] += scale * value);
    }
    assertClose("scattered", await t.read(out), wanted);
    const found = await t.read(stats);
    assertClose("norms", found.filter((_, i) => i % 4 === 0), norms);
    assertEquals(
      [...found.filter((_, i) => i % 4 !== 0)],
      Array.from({ length: rows }, (_, r) => [0, ids[r * k], 0]).flat(),
    );
  };
  const numbers = random32(61, rows * k);
  const factor = [...random32(62, rows)].map((value) => 4 * value);
  const twice = Array.from({ length: rows * k }, (_, i) => i % 3 === 2 ? 79 : i);
  await scattered(twice.map((id, i) => i % 3 === 1 ? twice[i - 1] : id), [...numbers], factor, 0);
  await scattered(twice, [...numbers], factor, 0);
  await scattered(twice, [...numbers], factor, 2);
});

for (
  const [dtype, on, d] of [
    ...[["f32", t, 72], ["f32", t, 68], ["f16", t, 68], ["f32", small, 72], ["f32", small, 68]] as const,
    ["f16", small, 72],
  ] as const
) {
  Deno.test(`rows of E in ${dtype}, ${d} wide, are mixed${on === small ? ", E in chunks" : ""}, and kept where asked for`, async () => {
    const [rows, vocab, k, slots, columns] = [5, 300, 4, 9, 3];
    const table = dtype === "f16" ? random16(3, vocab * d) : random32(3, vocab * d);
    const ids = Array.from({ length: rows * k }, (_, i) => (i * 137 + 11) % vocab);
    const values = random32(4, rows * k);
    const wanted = new Float64Array(rows * d);
    ids.forEach((id, i) => {
      for (let c = 0; c < d; c++) wanted[Math.floor(i / k) * d + c] += values[i] * table[id * d + c];
    });
    const embedding = on.matrix(table, vocab, d, dtype);
    assertEquals(embedding.chunks.length > 1, on === small);
    const few = { ids: on.u32(ids, [rows, k]), values: on.f32(values, [rows, k]) };
    const out = on.blank(rows, d);
    const hidden = on.blank(slots, columns, d);
    const info = on.u32(Array.from({ length: rows }, (_, r) => [2 * r, 0, 0, 0]).flat(), [rows, 4]);
    mixRows(on.gpu, embedding, few, out, { info, fed: hidden, column: 1 });
    const found = await on.read(out);
    assertClose("mixed", found, wanted);
    const kept = await on.read(hidden);
    for (let r = 0; r < rows; r++) {
      const at = (2 * r * columns + 1) * d;
      assertSameBits(`row ${r}`, kept.subarray(at, at + d), found.subarray(r * d, (r + 1) * d));
    }
    const at = { info, shift: 0, key: KEY };
    const deviation = on.blank(rows);
    noiseMismatch(on.gpu, out, out, 0, at, deviation, 0.3);
    assertEquals([...await on.read(deviation)], new Array(rows).fill(0));
    const other = on.f32([...found].map((value) => value + 0.5), [rows, d]);
    noiseMismatch(on.gpu, out, other, 0, at, deviation, 0.25);
    assertClose("deviation", await on.read(deviation), new Array(rows).fill(2), 1e-9);
  });
}

for (const on of [t, small]) {
  Deno.test(`the backward of mixed rows: into E alone, an id twice counts twice${on === small ? ", E in chunks" : ""}`, async () => {
    const [rows, vocab, width, d, k] = [7, 299, 300, 68, 4];
    const ids = Array.from(
      { length: rows * k },
      (_, i) => i % k === 3 ? (i - 1) * 137 % vocab : i * 137 % vocab,
    );
    const values = random32(4, rows * k);
    const dRows = random32(5, rows * d);
    const old = random32(6, width * d);
    const grad = on.matrix(old, width, d);
    const wanted = old.slice();
    ids.forEach((id, i) => {
      for (let c = 0; c < d; c++) wanted[id * d + c] += values[i] * dRows[Math.floor(i / k) * d + c];
    });
    const few = { ids: on.u32(ids, [rows, k]), values: on.f32(values, [rows, k]) };
    mixRowsBackward(on.gpu, few, on.f32(dRows, [rows, d]), grad);
    assertClose("dE", await downloadMatrix(on.gpu, grad), wanted);
  });
}
