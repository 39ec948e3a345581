import { assertAlmostEquals, assertEquals } from "@std/assert";
import { band } from "../../../web/figures/band.ts";

Deno.test("a band is the mean, and the standard deviation of n - 1 around it", () => {
  const x = [1, 2, 3];
  const { y, low, high } = band([{ x, y: [1, 2, 3] }, { x, y: [3, 2, 9] }, { x, y: [2, 2, 0] }], "sd");
  assertEquals(y, [2, 2, 4]);
  assertEquals([low[0], high[0]], [1, 3]);
  assertEquals([low[1], high[1]], [2, 2]);
  assertAlmostEquals(high[2] - 4, Math.sqrt((1 + 25 + 16) / 2));
});

Deno.test("a band may be the standard error, or from the least to the most", () => {
  const runs = [{ x: [1], y: [0] }, { x: [1], y: [4] }];
  assertAlmostEquals(band(runs, "error").high[0], 2 + Math.sqrt(8) / Math.sqrt(2));
  assertEquals([band(runs, "range").low, band(runs, "range").high], [[0], [4]]);
});

Deno.test("where a run has ended, or has a gap, the others go on", () => {
  const runs = [{ x: [1, 2, 3, 4], y: [1, null, 3, 4] }, { x: [1, 2], y: [3, 4] }];
  const { x, y } = band(runs, "sd");
  assertEquals(x, [1, 2, 3, 4]);
  assertEquals(y, [2, (2 + 4) / 2, 3, 4]);
});

Deno.test("runs with other x are compared between their points", () => {
  const { x, y } = band([{ x: [0, 10], y: [0, 10] }, { x: [1, 4, 9], y: [2, 5, 10] }], "range");
  assertEquals([x[0], x.at(-1)], [0, 10]);
  x.forEach((place, i) => assertAlmostEquals(y[i], place >= 1 && place <= 9 ? place + 0.5 : place, 1e-9));
});

Deno.test("nothing has no band, and a single value is its own", () => {
  assertEquals(band([], "sd").x, []);
  assertEquals(band([{ x: [1], y: [null] }], "sd").x, []);
  assertEquals(band([{ x: [5], y: [7] }], "sd"), { x: [5], y: [7], low: [7], high: [7] });
});
