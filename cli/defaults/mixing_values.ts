import {
  type AnyWay,
  HEEDED_BY,
  heeds,
  type MixingOptions,
  WAY_DEFAULTS,
} from "../../model/thinking/ways.ts";
import { dashed } from "../settings/dashed.ts";
import type { Origin } from "../settings/resolve_config.ts";
import { runValues } from "./run_values.ts";

/**
 * How ways mix tokens: as flags say, and where nobody does as the run had it that the model comes from,
 * if its way is one of those that are run. Only what one of these ways heeds, and nothing of noise where it lies on the embedding.
 * @param model as given to --model
 */
export function mixingValues(
  values: MixingOptions,
  origins: Readonly<Record<string, Origin>>,
  ways: readonly AnyWay[],
  model: string,
): MixingOptions {
  const run = runValues(model);
  const isRuns = ways.some((way) => way === run.thinking);
  const valueOf = (name: keyof MixingOptions) => {
    const kept = isRuns && origins[name] === "default" ? run[dashed(name)] : undefined;
    return ["number", "boolean", "string"].includes(typeof kept) ? kept : values[name];
  };
  const noiseOn = valueOf("noiseOn") as MixingOptions["noiseOn"];
  const mixing: Record<string, unknown> = {};
  for (const name of Object.keys(HEEDED_BY) as (keyof MixingOptions)[]) {
    if (ways.some((way) => heeds(way, name, noiseOn))) mixing[name] = valueOf(name);
  }
  for (const name of ["width", "weighting"] as const) {
    if (name in mixing) mixing[name] ??= defaultOf(name, ways.filter((way) => heeds(way, name, noiseOn)));
  }
  if (noiseOn === "embedding") delete mixing.noiseOn;
  return mixing;
}

/** The default that these ways have in common; undefined where each has its own. */
function defaultOf(name: "width" | "weighting", ways: readonly AnyWay[]): unknown {
  const own: Partial<Record<AnyWay, unknown>> = WAY_DEFAULTS[name];
  const values = ways.map((way) => own[way] ?? WAY_DEFAULTS.topLogits);
  return new Set(values).size === 1 ? values[0] : undefined;
}
