/** Steps among neighbours: which are mixed, of what and how, against the f64 reference, fed the numbers of the same generator. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Weighting } from "../../gpu/ops/few/few_tokens.ts";
import { choose } from "../../gpu/ops/choose/choose.ts";
import { drawBesideTop, mixNeighbours, nearRows, withoutMixed } from "../../gpu/ops/few/neighbours.ts";
import { NO_ROW } from "../../gpu/ops/gather/gather.ts";
import { Domain } from "../../gpu/random.ts";
import { uniformAt } from "../reference/random.ts";
import { nearestRows, neighboursWay } from "../reference/ways/neighbours.ts";
import { largestOf, type StepInput } from "../reference/ways/way.ts";
import { assertClose, assertSameBits, openTestGpu, random16, random32 } from "./support.ts";

const t = await openTestGpu();
// Embeddings in several chunks.
const small = await openTestGpu({ maxBinding: 16384 });
const KEY = { seed: 5, domain: Domain.noise, step: 9 };
const TAU = 0.8;

const CASES = [
  { on: t, rows: 1, vocab: 5, width: 8, d: 4, k: 3, rho: 1 },
  { on: t, rows: 70, vocab: 75, width: 80, d: 20, k: 3, rho: 0.5 },
  { on: small, rows: 17, vocab: 299, width: 300, d: 68, k: 5, rho: 0.5 },
  { on: t, rows: 37, vocab: 301, width: 304, d: 68, k: 3, rho: 0.3, dtype: "f16" },
  { on: t, rows: 7, vocab: 2049, width: 2052, d: 8192, k: 2, rho: 0.7 },
  { on: t, rows: 3, vocab: 151935, width: 151936, d: 12, k: 32, rho: 0.7 },
] as const;

for (const { on, rows, vocab, width, d, k, rho, ...form } of CASES) {
  const dtype = "dtype" in form ? form.dtype : "f32";
  const z = random32(vocab, rows * width, 2);
  const table = dtype === "f16" ? random16(7, width * d) : random32(7, width * d);
  const uniforms = Array.from(
    { length: rows },
    (_, r) => uniformAt({ ...KEY, position: 40 + r, rollout: 3 * r + 1 }),
  );
  const inputOf = (r: number): StepInput => ({
    logits: z.subarray(r * width, r * width + vocab),
    table: table.subarray(0, vocab * d),
    hidden: new Float64Array(0),
    head: new Float64Array(0),
  });

  /** What a device takes for steps of these rows, of which each drew the token of its number. */
  const take = async (weighting: Weighting) => {
    const info = on.u32(Array.from({ length: rows }, (_, r) => [r, 3 * r + 1, 0, 38 + r]).flat(), [rows, 4]);
    const recordOf = (tokens: number[]) => ({
      ...{ tokens: on.u32(tokens, [rows, 1]), stats: on.blank(rows, 1, 4), column: 0 },
    });
    const [any, top] = [0, 1].map(() => on.u32(new Array(rows).fill(0)));
    const at = { info, shift: 2, key: { ...KEY, domain: Domain.tokens } };
    const logits = on.f32(z, [rows, width]);
    const steps = { rho, domain: KEY.domain };
    drawBesideTop(on.gpu, logits, vocab, TAU, at, steps, recordOf(new Array(rows).fill(0)), any, top);
    const near = on.blank(rows, width);
    const embedding = on.matrix(table, width, d, dtype);
    assertEquals(embedding.chunks.length > 1, on === small);
    nearRows(on.gpu, embedding, top, near);
    const record = recordOf(Array.from({ length: rows }, (_, r) => r % vocab));
    const few = { ids: on.u32(new Array(rows * k).fill(0), [rows, k]), values: on.blank(rows, k) };
    mixNeighbours(on.gpu, near, logits, vocab, { weighting, tau: TAU }, info, top, record, few);
    const factor = on.blank(rows);
    withoutMixed(on.gpu, on.f32(new Array(rows).fill(1.5)), top, factor);
    return {
      top: await on.readU32(top),
      ids: await on.readU32(few.ids),
      values: await on.read(few.values),
      tokens: await on.readU32(record.tokens),
      factor: await on.read(factor),
      near: await on.read(near),
    };
  };

  for (const weighting of ["uniform", "probability"] as const) {
    Deno.test(`neighbours, weights ${weighting}: ${rows} rows among ${vocab} tokens of ${d} in ${dtype}, ${k} mixed`, async () => {
      const way = neighboursWay({ tau: TAU, rho, neighbours: k - 1, weighting });
      const found = await take(weighting);
      const weights: number[] = [];
      let mixed = 0;
      for (let r = 0; r < rows; r++) {
        const ids = [...found.ids.subarray(r * k, (r + 1) * k)];
        if (uniforms[r] >= rho) {
          assertEquals([found.top[r], ids, found.tokens[r], found.factor[r]], [
            NO_ROW,
            new Array(k).fill(r % vocab),
            r % vocab,
            1.5,
          ]);
          weights.push(...Array.from({ length: k }, (_, j) => j === 0 ? 1 : 0));
          continue;
        }
        mixed++;
        const { action, shadow } = way.act(inputOf(r), { uniforms: [uniforms[r], 0.5], normals: [] });
        assertEquals([found.top[r], ids, found.tokens[r], found.factor[r]], [
          shadow,
          action.tokens,
          shadow,
          0,
        ]);
        weights.push(...action.weights);
      }
      assert(mixed > 0 && (mixed < rows || rho === 1), `${mixed} of ${rows} mixed`);
      assertClose("weights", found.values, weights);
    });
  }

  Deno.test(`nearness of ${vocab} rows of ${d} in ${dtype}: that of mixed steps alone, by cosine`, async () => {
    const { near } = await take("uniform");
    const lengths = Array.from(
      { length: vocab },
      (_, v) => Math.hypot(...table.subarray(v * d, (v + 1) * d)),
    );
    for (let r = 0; r < rows; r++) {
      const found = near.subarray(r * width, r * width + vocab);
      if (uniforms[r] >= rho) {
        assert(found.every((value) => value === near[r * width]), "rows without a mixture are left");
        continue;
      }
      const top = largestOf(inputOf(r).logits);
      const wanted = lengths.map((length, v) => {
        let sum = 0;
        for (let c = 0; c < d; c++) sum += table[v * d + c] * table[top * d + c];
        return v === top ? Math.fround(3e38) : sum / length;
      });
      assertEquals(found[top], wanted[top]);
      assertClose("cosines", found.with(top, 0), wanted.with(top, 0), 1e-11);
      assertEquals(nearestRows(inputOf(r), top, 1)[0], largestOf(found.with(top, -1e30)));
    }
  });
}

for (const [rows, vocab, width] of [[19, 75, 80], [3, 2049, 2052], [2, 49149, 49152]]) {
  Deno.test(`a draw from ${vocab} tokens that tells the most probable one beside is the same draw`, async () => {
    const z = random32(vocab, rows * width, 2);
    const info = t.u32(Array.from({ length: rows }, (_, r) => [r, 3 * r + 1, 0, 38 + r]).flat(), [rows, 4]);
    const recordOf = () => ({
      ...{ tokens: t.u32(new Array(rows).fill(0), [rows, 1]), stats: t.blank(rows, 1, 4), column: 0 },
    });
    const [record, alone] = [recordOf(), recordOf()];
    const [drawn, top, chosen] = [0, 1, 2].map(() => t.u32(new Array(rows).fill(0)));
    const at = { info, shift: 2, key: KEY };
    const all = { rho: 1, domain: Domain.noise };
    drawBesideTop(t.gpu, t.f32(z, [rows, width]), vocab, TAU, at, all, record, drawn, top);
    choose(t.gpu, "sample", t.f32(z, [rows, width]), vocab, TAU, info, 2, alone, chosen, KEY);
    assertEquals(await t.readU32(drawn), await t.readU32(chosen));
    assertEquals(await t.readU32(record.tokens), await t.readU32(alone.tokens));
    assertSameBits("statistics", await t.read(record.stats), await t.read(alone.stats));
    const wanted = Array.from(
      { length: rows },
      (_, r) => largestOf(z.subarray(r * width, r * width + vocab)),
    );
    assertEquals([...await t.readU32(top)], wanted);
  });
}

Deno.test("neighbours: equal cosines by ascending id, and no more tokens than there are", async () => {
  const table = Float64Array.of(1, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 3, 0, 0, 0, -1, 0, 0, 0);
  const info = t.u32([0, 0, 0, 0], [1, 4]);
  const [top, near] = [t.u32([1]), t.blank(1, 5)];
  nearRows(t.gpu, t.matrix(table, 5, 4), top, near);
  const record = { tokens: t.u32([4], [1, 1]), stats: t.blank(1, 1, 4), column: 0 };
  const take = (k: number) => {
    const few = { ids: t.u32(new Array(k).fill(0), [1, k]), values: t.blank(1, k) };
    const how = { weighting: "uniform", tau: 1 } as const;
    mixNeighbours(t.gpu, near, t.f32([0, 1, 0, 0, 0], [1, 5]), 5, how, info, top, record, few);
    return few;
  };
  assertEquals([...await t.readU32(take(4).ids)], [1, 0, 3, 2]);
  assertThrows(() => take(6), Error, "Cannot mix the 6 nearest of 5 tokens");
});
