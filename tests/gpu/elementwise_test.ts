import { assertThrows } from "@std/assert";
import { columnSum } from "../../gpu/ops/reduce/column_sum.ts";
import { addInto } from "../../gpu/ops/elementwise/elementwise.ts";
import { swiglu, swigluBackward } from "../../gpu/ops/elementwise/swiglu.ts";
import { addInto as add } from "../reference/support.ts";
import { swiglu as reference, swigluBackward as referenceBackward } from "../reference/swiglu.ts";
import { assertClose, assertSameBits, openTestGpu, random32 } from "./support.ts";

const t = await openTestGpu();
const u32Only = await openTestGpu({ forbidU64: true });

for (
  const { rows, f } of [
    { rows: 1, f: 4 },
    { rows: 13, f: 7 },
    { rows: 65, f: 160 },
    { rows: 3, f: 28672 },
    { rows: 50001, f: 3 },
  ]
) {
  Deno.test(`SwiGLU of ${rows} rows of ${f}, forward and backward`, async () => {
    const [x, dy] = [random32(1, rows * 2 * f, 4), random32(2, rows * f)];
    x[0] = -200; // exp(200) is beyond f32
    x[1] = 200;
    const tx = t.f32(x, [rows, 2 * f]);
    const [out, dx] = [t.blank(rows, f), t.blank(rows, 2 * f)];
    swiglu(t.gpu, tx, out);
    assertClose("y", await t.read(out), reference(x, rows, f));
    swigluBackward(t.gpu, tx, t.f32(dy, [rows, f]), dx);
    assertClose("dx", await t.read(dx), referenceBackward(dy, x, rows, f));
  });
}

for (const [rows, f] of [[1, 8], [603, 176], [5, 1000]]) {
  Deno.test(`SwiGLU of ${rows} rows of ${f} has the same bits with loads of u64 and without`, async () => {
    const [x, dy] = [random32(1, rows * 2 * f, 4), random32(2, rows * f)];
    const [u64, not] = await Promise.all([t, u32Only].map(async (on) => {
      const tx = on.f32(x, [rows, 2 * f]);
      const [out, dx] = [on.blank(rows, f), on.blank(rows, 2 * f)];
      swiglu(on.gpu, tx, out);
      swigluBackward(on.gpu, tx, on.f32(dy, [rows, f]), dx);
      return await Promise.all([out, dx].map(on.read));
    }));
    ["out", "dx"].forEach((name, i) => assertSameBits(name, u64[i], not[i]));
  });
}

for (
  const { rows, d } of [
    { rows: 1, d: 4 },
    { rows: 17, d: 5 },
    { rows: 300, d: 60 },
    { rows: 3, d: 151936 },
    { rows: 40, d: 8192 },
    { rows: 400003, d: 4 },
    { rows: 100003, d: 3 },
  ]
) {
  Deno.test(`column sums of ${rows} rows of ${d}`, async () => {
    const [x, before] = [random32(1, rows * d), random32(2, d, 20)];
    const sums = new Float64Array(d);
    x.forEach((value, i) => sums[i % d] += value);
    const tx = t.f32(x, [rows, d]);
    const [fresh, added] = [t.blank(d), t.f32(before)];
    columnSum(t.gpu, tx, fresh, false);
    columnSum(t.gpu, tx, added, true);
    assertClose("sum", await t.read(fresh), sums);
    assertClose("added", await t.read(added), add(before, sums));
  });
}

Deno.test("addInto adds a whole tensor, or a bias to each row, also beyond 65,535 workgroups", async () => {
  for (const [rows, d] of [[5, 7], [1, 151936], [70000, 75]]) {
    const [x, whole, bias] = [random32(1, rows * d), random32(2, rows * d), random32(3, d)];
    const tx = t.f32(x, [rows, d]);
    addInto(t.gpu, tx, t.f32(whole, [rows, d]));
    addInto(t.gpu, tx, t.f32(bias));
    assertClose("x + y + b", await t.read(tx), x.map((value, i) => value + whole[i] + bias[i % d]));
  }
  assertThrows(() => addInto(t.gpu, t.zeros(3, 4), t.zeros(5)), Error, "sizes do not divide");
});

Deno.test("SwiGLU refuses inputs that are not twice as wide", () => {
  assertThrows(() => swiglu(t.gpu, t.zeros(2, 8), t.zeros(2, 8)), Error, "should be [2, 16]");
});
