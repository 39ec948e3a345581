import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { fitLaw } from "./support/fit_law.ts";

const SIZES = [128, 256, 512, 1024, 2048, 4096];
const QUADRATIC = { "1": () => 1, n: (n: number) => n, "n^2": (n: number) => n * n };

Deno.test("a law that holds is found, with an R^2 of 1", () => {
  const { coefficients, predicted, r2 } = fitLaw(
    SIZES,
    SIZES.map((n) => 3 + 0.5 * n + 2e-4 * n * n),
    QUADRATIC,
  );
  assertAlmostEquals(coefficients["1"], 3, 1e-6);
  assertAlmostEquals(coefficients.n, 0.5, 1e-8);
  assertAlmostEquals(coefficients["n^2"], 2e-4, 1e-11);
  assertAlmostEquals(predicted[2], 3 + 256 + 2e-4 * 512 ** 2, 1e-6);
  assertAlmostEquals(r2, 1, 1e-9);
});

Deno.test("a term that would be negative is left out", () => {
  const { coefficients } = fitLaw(SIZES, SIZES.map((n) => n - 30), QUADRATIC);
  assert(Object.values(coefficients).every((factor) => factor >= 0));
});

Deno.test("a law that does not hold has a low R^2", () => {
  const { r2, coefficients } = fitLaw(SIZES, [5, 1, 5, 1, 5, 1], { n: (n) => n });
  assertEquals(Object.keys(coefficients), ["n"]);
  assert(r2 < 0.2);
});
