/** Errors of means over runs and questions, against what simulated runs really scatter by. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { crossedDifference, crossedMean } from "../../../cli/compare/crossed.ts";
import { seededUniform } from "../../../eval/seeded_uniform.ts";

Deno.test("of a single run the error is the questions', of single values the runs'; of one value nothing is told", () => {
  assertEquals(crossedMean([[1, 2, 3]]), { value: 2, standardError: Math.sqrt(1 / 3) });
  assertEquals(crossedMean([[1], [2], [3]]), { value: 2, standardError: Math.sqrt(1 / 3) });
  assertEquals(crossedMean([[5]]), { value: 5, standardError: null });
  // Questions' means 1 and 3, runs' means 1.5 and 2.5.
  assertAlmostEquals(crossedMean([[0, 3], [2, 3]]).standardError!, Math.sqrt(2 / 2 + 0.5 / 2), 1e-12);
});

Deno.test("differences are paired by seed; an untrained model goes with every seed; others are apart", () => {
  const line = { seeds: [1, 2], values: [[1, 0], [1, 1]] };
  assertEquals(crossedDifference(line, { seeds: [2, 1], values: [[1, 1], [1, 0]] }), {
    ...{ value: 0, standardError: 0 },
  });
  assertEquals(crossedDifference(line, { seeds: [null], values: [[0, 0]] })!.value, 0.75);
  const apart = crossedDifference(line, { seeds: [7], values: [[0, 0]] })!;
  // Of the questions' means 1 and 0.5, and of the runs' means 0.5 and 1.
  assertEquals([apart.value, apart.standardError], [0.75, Math.sqrt(0.125 / 2 + 0.125 / 2)]);
  assertEquals(crossedDifference(line, { seeds: [1], values: [[1, 2, 3]] }), null);
});

Deno.test("the error is that of repeated experiments, or up to a fifth larger", () => {
  const uniform = seededUniform(5, 0);
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const [questions, runs] = [60, 5];
  const experiment = () => {
    const ofQuestion = Array.from({ length: questions }, normal);
    const values = Array.from({ length: runs }, () => {
      const ofRun = 0.3 * normal();
      return ofQuestion.map((one) => one + ofRun + normal());
    });
    return crossedMean(values);
  };
  const all = Array.from({ length: 1500 }, experiment);
  const scatter = Math.sqrt(all.reduce((sum, { value }) => sum + value ** 2, 0) / all.length);
  const told = Math.sqrt(all.reduce((sum, { standardError }) => sum + standardError! ** 2, 0) / all.length);
  assert(told / scatter > 0.95 && told / scatter < 1.2, `${told} told, ${scatter} found`);
});
