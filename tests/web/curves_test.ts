import { assertEquals } from "@std/assert";
import { parseRoute } from "../../web/app/route.ts";
import { curvesQuery } from "../../web/curves/curves_query.ts";
import { linesWithin } from "../../web/curves/use_detail.ts";
import { joined } from "../../web/curves/use_metrics.ts";
import type { Metrics } from "../../web/data/view_data.ts";

const metrics = (from: number, columns: Metrics["columns"]): Metrics => {
  const to = from + Object.values(columns)[0].length;
  return { id: "a", from, to, lines: to, keys: Object.keys(columns), columns, sampled: null, skipped: 0 };
};

Deno.test("new lines are put behind the old ones, and a column that came or went is empty where it is not", () => {
  const both = joined(metrics(0, { step: [1, 2], a: [5, 6] }), metrics(2, { step: [3], b: [7] }));
  assertEquals(both.columns, { step: [1, 2, 3], a: [5, 6, null], b: [null, null, 7] });
  assertEquals([both.from, both.to], [0, 3]);
});

Deno.test("of a part that is zoomed into the lines are known, with one on either side", () => {
  const thin = { ...metrics(0, { step: [10, 20, 30, 40], line: [9, 19, 29, 39] }), to: 40 };
  assertEquals(linesWithin(thin, "step", [15, 25]), { from: 9, to: 30 });
  assertEquals(linesWithin(thin, "step", [0, 100]), { from: 0, to: 40 });
});

Deno.test("how curves are drawn is read from the address; what makes no sense counts as left out", () => {
  const of = (hash: string, hasSeeds = false) => curvesQuery(parseRoute(hash), hasSeeds);
  assertEquals(of("#/run/a/curves", true).band, "sd");
  assertEquals(of("#/run/a/curves?band=none", true).band, null);
  const asked = of("#/run/a/curves?x=tokens&mean=50&log=xy&from=5&to=2&panels=a,b%2Bc&hide=x%7Cy&band=odd");
  assertEquals(asked, {
    ...{ along: "total.tokens", window: 50, band: null, isLogX: true, isLogY: true, zoom: null },
    ...{ panels: ["a", "b+c"], hidden: ["x", "y"] },
  });
  assertEquals(of("#/run/a/curves?from=-1&to=2&mean=3").zoom, [-1, 2]);
  assertEquals(of("#/run/a/curves?mean=3").window, 10);
});
