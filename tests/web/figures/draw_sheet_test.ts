import { assert, assertEquals, assertMatch } from "@std/assert";
import { drawSheet } from "../../../web/figures/draw_sheet.ts";
import type { Curve, Figure } from "../../../web/figures/figure.ts";
import { figureCsv } from "../../../web/figures/figure_csv.ts";
import { ticksOf, tickText } from "../../../web/figures/ticks.ts";

const curve = (more: Partial<Curve>): Curve => ({
  ...{ name: "soft", colour: 0, dash: 0, x: [1, 2, 3], y: [0.5, null, 1], look: "line" },
  ...more,
});

const figure = (curves: Curve[], more: Partial<Figure> = {}): Figure => ({
  ...{
    name: "accuracy",
    title: "Right answers",
    x: { label: "updates" },
    y: { label: "share", from: 0, to: 1 },
    curves,
  },
  ...more,
});

/** What the drawing's paths of one colour are. */
const paths = (svg: string, colour: string) =>
  [...svg.matchAll(/<path d="([^"]+)" fill="none" stroke="(#\w+)"/g)].filter(([, , stroke]) =>
    stroke === colour
  ).map(([, d]) => d);

Deno.test("a curve goes from value to value, and breaks where one is missing", () => {
  const { text } = drawSheet([figure([curve({ y: [0, null, 1] })])], { panelWidth: 100, panelHeight: 50 });
  assertEquals(paths(text, "#0b6fb8"), ["M0 50M100 0"]);
});

Deno.test("a scale of logarithms leaves out what is not above 0", () => {
  const log = figure([curve({ x: [0, 1, 100], y: [10, 10, 1000] })], {
    x: { label: "k", isLog: true },
    y: { label: "", isLog: true, from: 10, to: 1000 },
  });
  const { text } = drawSheet([log], { panelWidth: 100, panelHeight: 50 });
  assertEquals(paths(text, "#0b6fb8"), ["M0 50L100 0"]);
});

Deno.test("names and titles stay text, whatever is in them", () => {
  const name = `</text><script>alert(1)</script>"&\u0000`;
  const { text } = drawSheet([figure([curve({ name }), curve({ name: "b" })], { title: name })]);
  assert(!text.includes("<script"));
  assert(!text.includes("\u0000"));
  assertMatch(text, /&lt;script&gt;alert\(1\)&lt;\/script&gt;&quot;&amp;/);
});

Deno.test("the same is drawn to the same letter, and each name once in the legend", () => {
  const both = [figure([curve({}), curve({ name: "hard", colour: 1 })]), figure([curve({})], { name: "b" })];
  const { text } = drawSheet(both);
  assertEquals(drawSheet(both).text, text);
  assertEquals(text.match(/>soft<\/text>/g)?.length, 1);
  assertEquals(text.match(/>hard<\/text>/g)?.length, 1);
});

Deno.test("values are written as CSV, and a name that a spreadsheet would run is text", () => {
  const csv = figureCsv(figure([curve({ name: '=cmd|"x"', x: [1, 2], y: [0.25, null], raw: [0.5, 0.5] })]));
  assertEquals(
    csv,
    'curve,updates,Right answers (share),not smoothed\r\n"\'=cmd|""x""",1,0.25,0.5\r\n"\'=cmd|""x""",2,,0.5\r\n',
  );
});

Deno.test("ticks are round numbers within the axis", () => {
  assertEquals(ticksOf(0, 1, 4), [0, 0.25, 0.5, 0.75, 1]);
  assertEquals(ticksOf(-0.3, 1.1, 3), [0, 0.5, 1]);
  assertEquals(ticksOf(1, 32, 4, true), [1, 2, 5, 10, 20]);
  assertEquals(ticksOf(1e-6, 1, 4, true), [1e-6, 1e-4, 1e-2, 1]);
  assertEquals(ticksOf(5, 5, 4), [5]);
  assertEquals([0, 0.25, 1500, 12325, 250000, 3e6, 1e-4].map(tickText), [
    "0",
    "0.25",
    "1500",
    "12325",
    "250k",
    "3M",
    "1e-4",
  ]);
});
