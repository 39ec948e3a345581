import { parseSettings, type Source } from "../../settings/config_file.ts";
import type { Named } from "../sweep_plan.ts";
import grid from "./grid.toml" with { type: "text" };

/** The grid that comes with the program; the quick one has fewer seeds, updates, questions and samples. */
export function claimsGrid(quick: boolean): Source {
  const whole = parseSettings(grid, "the grid of softcot sweep claims");
  if (!quick) return whole;
  const { fixed, grid: axes, evaluate, ...rest } = whole.values as {
    fixed: Named;
    grid: { seed: number[] };
    evaluate: (Named & { at: (number | "end")[] })[];
  };
  const steps = 40;
  return {
    name: whole.name,
    values: {
      ...rest,
      fixed: { ...fixed, steps },
      grid: { ...axes, seed: axes.seed.slice(0, 3) },
      evaluate: evaluate.map((one) => ({
        ...{ ...one, samples: 16, limit: 128 },
        at: one.at.filter((step) => step === "end" || step < steps),
      })),
    },
  };
}
