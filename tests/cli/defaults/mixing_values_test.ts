import { assertEquals } from "@std/assert";
import { mixingValues } from "../../../cli/defaults/mixing_values.ts";
import type { Origin } from "../../../cli/settings/resolve_config.ts";
import { modesOf } from "../../../eval/modes.ts";

const GIVEN = {
  noiseOn: "embedding",
  rho: 0.1,
  gumbelTau: 0.1,
  asPublished: false,
  alpha: 1,
  eta: 0.3,
  beta: 1,
} as const;
const ALL = ["width", "weighting", ...Object.keys(GIVEN)];
const DEFAULTS: Record<string, Origin> = Object.fromEntries(ALL.map((name) => [name, "default"]));

Deno.test("a trained way is run with its run's numbers, unless a flag or another way asks for others", () => {
  const run = Deno.makeTempDirSync();
  Deno.writeTextFileSync(`${run}/config.toml`, 'thinking = "covariance"\nwidth = 8\neta = 0.5\n');
  const values = (ways: Parameters<typeof mixingValues>[2], origins = DEFAULTS, given = {}) =>
    mixingValues({ ...GIVEN, ...given }, origins, ways, run);
  const whole = { wholeScore: undefined };
  assertEquals(values(["covariance"]), { width: 8, eta: 0.5, ...whole });
  assertEquals(values(["covariance"], { ...DEFAULTS, eta: "flag" }), { width: 8, eta: 0.3, ...whole });
  assertEquals(values(["covariance"], { ...DEFAULTS, width: "flag" }, { width: 2 }), {
    width: 2,
    eta: 0.5,
    ...whole,
  });
  assertEquals(values(["multiplex"]), { width: 3, weighting: "uniform" });
  assertEquals(values(["neighbours"]), { width: 3, weighting: "probability", rho: 0.1 });
  assertEquals(values(["mixture-of-inputs"]), { beta: 1 });
  assertEquals(values(["hard", "soft", "fuzzy"]), {});
  assertEquals(values(["multiplex", "gumbel"]).width, undefined, "each has its own");
});

Deno.test("a trained way is shown in the six modes, and in its own where it is none of theirs", () => {
  for (const way of ["hard", "soft", "fuzzy"] as const) assertEquals(modesOf(way).length, 6);
  assertEquals(modesOf("gumbel").slice(6), ["gumbel-greedy", "gumbel-sample"]);
  assertEquals(modesOf("multiplex").slice(6), ["multiplex-sample"]);
  assertEquals(modesOf("neighbours").slice(6), ["neighbours-sample"]);
});

Deno.test("a run's place of the noise is kept where soft or fuzzy thinking is run, with what that takes", () => {
  const run = Deno.makeTempDirSync();
  Deno.writeTextFileSync(
    `${run}/config.toml`,
    'thinking = "soft"\nnoise-on = "top-logits"\n',
  );
  const values = (ways: Parameters<typeof mixingValues>[2], origins = DEFAULTS) =>
    mixingValues(GIVEN, origins, ways, run);
  const top = { noiseOn: "top-logits", width: 5, wholeScore: undefined } as const;
  assertEquals(values(["soft"]), top);
  assertEquals(values(["hard", "soft", "fuzzy"]), top);
  assertEquals(values(["soft", "neighbours"]).width, undefined, "each has its own");
  assertEquals(values(["fuzzy"]), {}, "not the way that was trained");
  assertEquals(values(["soft"], { ...DEFAULTS, noiseOn: "flag" }), {});
});
