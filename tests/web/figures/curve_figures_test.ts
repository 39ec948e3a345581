import { assertEquals } from "@std/assert";
import { colours, curveFigures, type CurveRun, keysFor } from "../../../web/figures/curve_figures.ts";
import { panelOf, PANELS } from "../../../web/figures/metric_panels.ts";
import { smooth } from "../../../web/figures/smooth.ts";

const run = (
  name: string,
  line: string,
  accuracy: (number | null)[],
  more: Partial<CurveRun> = {},
): CurveRun => ({
  ...{ name, line, each: 1 },
  columns: {
    step: accuracy.map((_, i) => i + 1),
    accuracy,
    "total.tokens": accuracy.map((_, i) => 100 * (i + 1)),
  },
  ...more,
});
const seeds = [
  run("soft-0", "soft", [0, 1]),
  run("soft-1", "soft", [1, 1]),
  run("hard-0", "hard", [0.5, 0.5]),
];
const plain = { along: "step", window: 1, band: null } as const;

Deno.test("seeds of one line share a colour where there are several lines, and have their own where there is one", () => {
  assertEquals(colours(seeds, false).map(({ colour, dash }) => [colour, dash]), [[0, 0], [0, 1], [1, 0]]);
  assertEquals(colours(seeds.slice(0, 2), false).map(({ colour, dash }) => [colour, dash]), [[0, 0], [1, 0]]);
  assertEquals(colours(seeds, true).map(({ name, runs }) => [name, runs.length]), [["soft", 2], ["hard", 1]]);
});

Deno.test("with a band a line is one curve, whose band does not leave what a share can be", () => {
  const [{ curves }] = curveFigures(colours(seeds, true), [panelOf("accuracy")], { ...plain, band: "sd" });
  assertEquals(curves.map(({ name }) => name), ["soft", "hard"]);
  assertEquals(curves[0].y, [0.5, 1]);
  assertEquals([curves[0].low![0], curves[0].high![0]], [0, 1]);
  assertEquals(curves[1].low, undefined);
});

Deno.test("smoothed curves keep what was measured beside them", () => {
  const [{ curves: [curve] }] = curveFigures(colours([seeds[0]], false), [panelOf("accuracy")], {
    ...plain,
    window: 10,
  });
  assertEquals([curve.y, curve.raw], [[0, 0.5], [0, 1]]);
  const thin = run("a", "a", [0, 1], { each: 50 });
  const [{ curves: [same] }] = curveFigures(colours([thin], false), [panelOf("accuracy")], {
    ...plain,
    window: 10,
  });
  assertEquals([same.y, same.raw], [[0, 1], undefined]);
});

Deno.test("curves go over tokens as well, and of a clock that was set back the later values count", () => {
  const twice = run("a", "a", [1, 2, 3, 4]);
  twice.columns["total.seconds"] = [10, 20, 15, 30];
  const [{ curves: [curve] }] = curveFigures(colours([twice], false), [panelOf("accuracy")], {
    ...plain,
    along: "total.seconds",
  });
  assertEquals([curve.x, curve.y], [[10, 15, 30], [1, 3, 4]]);
  const [{ curves: [tokens] }] = curveFigures(colours([twice], false), [panelOf("accuracy")], {
    ...plain,
    along: "total.tokens",
  });
  assertEquals(tokens.x, [100, 200, 300, 400]);
});

Deno.test("validations are points at the updates that have them", () => {
  const validated = run("a", "a", [0.1, 0.2, 0.3]);
  validated.columns.validation_accuracy = [null, 0.9, null];
  const [{ curves }] = curveFigures(colours([validated], false), [panelOf("accuracy")], plain);
  assertEquals(curves.map(({ look, x, y }) => [look, x, y]), [["line", [1, 2, 3], [0.1, 0.2, 0.3]], [
    "points",
    [2],
    [0.9],
  ]]);
});

Deno.test("the method's own pictures are asked for by their keys, and any metric by its own", () => {
  assertEquals(keysFor([panelOf("accuracy")]), [
    "line",
    "step",
    "total.tokens",
    "total.seconds",
    "accuracy",
    "validation_accuracy",
  ]);
  assertEquals(panelOf("gradient_norm_thinking+gradient_norm_answer"), PANELS[6]);
  assertEquals(panelOf("rewards.length").keys, ["rewards.length"]);
});

Deno.test("a mean over a window leaves gaps out", () => {
  assertEquals(smooth([1, null, 3, 5], 2), [1, null, 3, 4]);
  assertEquals(smooth([1, 2], 1), [1, 2]);
});
