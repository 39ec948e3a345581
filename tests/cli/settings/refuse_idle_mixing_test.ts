import { ValidationError } from "@cliffy/command";
import { assertThrows } from "@std/assert";
import { refuseIdleMixing } from "../../../cli/settings/refuse_idle_mixing.ts";
import type { Origin } from "../../../cli/settings/resolve_config.ts";
import type { AnyWay } from "../../../model/thinking/ways.ts";

const cases: [string, AnyWay[], AnyWay[]][] = [
  ["width", ["multiplex", "gumbel", "dirichlet", "covariance"], ["hard", "soft", "fuzzy", "soft-thinking"]],
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
    for (const way of heeding) refuseIdleMixing([...others, way], by("flag"));
    for (const way of others) {
      assertThrows(() => refuseIdleMixing([way], by("flag")), ValidationError, "would take no notice");
      refuseIdleMixing([way], by("config"));
      refuseIdleMixing([way], by("default"));
    }
  }
});
