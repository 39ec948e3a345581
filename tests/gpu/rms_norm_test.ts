import { assertThrows } from "@std/assert";
import { rmsNorm, rmsNormBackward } from "../../gpu/ops/norm/rms_norm.ts";
import { rmsNorm as reference, rmsNormBackward as referenceBackward } from "../reference/rms_norm.ts";
import { addInto } from "../reference/support.ts";
import { assertClose, assertSameBits, openTestGpu, random32 } from "./support.ts";

const t = await openTestGpu();
const u32Only = await openTestGpu({ forbidU64: true });

for (
  const { rows, d, eps } of [
    { rows: 1, d: 4, eps: 1e-5 },
    { rows: 7, d: 5, eps: 1e-6 },
    { rows: 33, d: 60, eps: 1e-2 },
    { rows: 3, d: 8191, eps: 1e-5 },
    { rows: 6, d: 8192, eps: 1e-5 },
    { rows: 1, d: 64, eps: 1e-5 },
    { rows: 5003, d: 64, eps: 1e-5 },
    { rows: 131, d: 1024, eps: 1e-5 },
    { rows: 5003, d: 36, eps: 1e-5 },
    { rows: 270001, d: 4, eps: 1e-5 },
  ]
) {
  Deno.test(`RMSNorm of ${rows} rows of ${d}, forward and backward`, async () => {
    const [x, w, dy] = [random32(1, rows * d, 3), random32(2, d), random32(3, rows * d)];
    const [tx, tw, tdy] = [t.f32(x, [rows, d]), t.f32(w), t.f32(dy, [rows, d])];
    const [out, rinv] = [t.blank(rows, d), t.blank(rows)];
    rmsNorm(t.gpu, tx, tw, out, rinv, eps);
    const forward = reference(x, w, rows, d, eps);
    assertClose("y", await t.read(out), forward.y);
    assertClose("rinv", await t.read(rinv), forward.inverseRms);

    const { dx, dWeight } = referenceBackward(dy, x, w, rows, d, eps);
    const fresh = t.blank(rows, d);
    rmsNormBackward(t.gpu, tx, tw, rinv, tdy, fresh, false);
    assertClose("dx", await t.read(fresh), dx);
    const before = random32(4, rows * d);
    const [added, again] = [t.f32(before, [rows, d]), t.f32(before, [rows, d])];
    rmsNormBackward(t.gpu, tx, tw, rinv, tdy, added, true);
    assertClose("dx added", await t.read(added), addInto(before, dx));
    const weightBefore = random32(5, d);
    const dweight = t.f32(weightBefore);
    rmsNormBackward(t.gpu, tx, tw, rinv, tdy, again, true, dweight);
    assertSameBits("dx beside dweight", await t.read(again), await t.read(added));
    assertClose("dweight", await t.read(dweight), addInto(weightBefore, dWeight));
  });
}

Deno.test("a row's norm has the same bits alone and among others", async () => {
  const [rows, d] = [13, 60];
  const [x, w] = [random32(6, rows * d), random32(7, d)];
  const tw = t.f32(w);
  const out = t.blank(rows, d);
  rmsNorm(t.gpu, t.f32(x, [rows, d]), tw, out, t.blank(rows), 1e-5);
  const all = await t.read(out);
  for (const row of [0, 5, 12]) {
    const one = t.blank(1, d);
    rmsNorm(t.gpu, t.f32(x.subarray(row * d, (row + 1) * d), [1, d]), tw, one, t.blank(1), 1e-5);
    assertSameBits(`row ${row}`, await t.read(one), all.slice(row * d, (row + 1) * d));
  }
});

for (const [rows, d] of [[1, 64], [777, 64], [37, 576], [2, 1024]]) {
  Deno.test(`RMSNorm of ${rows} rows of ${d} has the same bits with loads of u64 and without`, async () => {
    const [x, w, dy, old, oldW] = [rows * d, d, rows * d, rows * d, d].map((n, i) => random32(i, n, 2));
    const [u64, not] = await Promise.all([t, u32Only].map(async (on) => {
      const [tx, tw, tdy, dx, dweight] = [
        on.f32(x, [rows, d]),
        on.f32(w),
        on.f32(dy, [rows, d]),
        on.f32(old, [
          rows,
          d,
        ]),
        on.f32(oldW),
      ];
      const [out, rinv] = [on.blank(rows, d), on.blank(rows)];
      rmsNorm(on.gpu, tx, tw, out, rinv, 1e-5);
      rmsNormBackward(on.gpu, tx, tw, rinv, tdy, dx, true, dweight);
      return await Promise.all([out, rinv, dx, dweight].map(on.read));
    }));
    ["out", "rinv", "dx", "dweight"].forEach((name, i) => assertSameBits(name, u64[i], not[i]));
  });
}

Deno.test("RMSNorm refuses a weight of another width", () => {
  assertThrows(
    () => rmsNorm(t.gpu, t.zeros(2, 8), t.zeros(4), t.zeros(2, 8), t.zeros(2), 1e-5),
    Error,
    "should be [8]",
  );
});
