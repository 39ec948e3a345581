import { ValidationError } from "@cliffy/command";
import { assertThrows } from "@std/assert";
import { refuseIdleMixing } from "../../../cli/settings/refuse_idle_mixing.ts";
import type { Origin } from "../../../cli/settings/resolve_config.ts";
import type { NoisePlace } from "../../../model/thinking/noise_on.ts";
import type { AnyWay } from "../../../model/thinking/ways.ts";

const cases: [string, AnyWay[], AnyWay[]][] = [
  ["noiseOn", ["soft", "fuzzy"], ["hard", "gumbel", "soft-thinking"]],
  ["weighting", ["multiplex", "neighbours"], ["gumbel", "soft"]],
  ["rho", ["neighbours"], ["multiplex", "hard"]],
  ["width", ["multiplex", "gumbel", "dirichlet", "covariance", "neighbours"], [
    "hard",
    "soft",
    "fuzzy",
    "soft-thinking",
  ]],
  ["gumbelTau", ["gumbel"], ["soft", "multiplex"]],
  ["asPublished", ["gumbel"], ["multiplex", "dirichlet"]],
  ["alpha", ["dirichlet"], ["gumbel"]],
  ["eta", ["covariance"], ["soft"]],
  ["wholeScore", ["covariance"], ["dirichlet"]],
  ["beta", ["mixture-of-inputs"], ["soft-thinking", "hard"]],
];

Deno.test("a flag that no way of thinking heeds is wrong usage; from a file or by default it may stand", () => {
  for (const [name, heeding, others] of cases) {
    const by = (origin: Origin) => ({ [name]: origin });
    for (const way of heeding) refuseIdleMixing([...others, way], by("flag"), "embedding");
    for (const way of others) {
      assertThrows(
        () => refuseIdleMixing([way], by("flag"), "embedding"),
        ValidationError,
        "would take no notice",
      );
      refuseIdleMixing([way], by("config"), "embedding");
      refuseIdleMixing([way], by("default"), "embedding");
    }
  }
});

Deno.test("what soft and fuzzy thinking heed beside goes by what their noise lies on", () => {
  const at = (name: string, noiseOn: NoisePlace, way: AnyWay = "fuzzy") =>
    refuseIdleMixing([way], { [name]: "flag" }, noiseOn);
  at("width", "top-logits");
  for (const place of ["logits", "top-logits", "hidden"] as const) at("wholeScore", place);
  const told =
    "--width is of multiplex, gumbel, dirichlet, covariance, neighbours, soft or fuzzy (--noise-on top-logits) thinking: fuzzy";
  for (const place of ["embedding", "logits", "hidden"] as const) {
    assertThrows(() => at("width", place), ValidationError, told);
  }
  assertThrows(
    () => at("wholeScore", "embedding"),
    ValidationError,
    "(--noise-on logits, top-logits, hidden)",
  );
  assertThrows(() => at("wholeScore", "logits", "hard"), ValidationError, "hard would take no notice");
});
