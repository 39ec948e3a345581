import { type AnyWay, type FewTokensOptions, HEEDED_BY, WAY_DEFAULTS } from "../../model/thinking/ways.ts";
import { dashed } from "../settings/dashed.ts";
import type { Origin } from "../settings/resolve_config.ts";
import { runValues } from "./run_values.ts";

/**
 * The numbers of the ways that mix a few tokens: as flags say, and where nobody does as the run had them that the model comes from,
 * if its way is one of those that are run. Only numbers that one of these ways heeds.
 * @param model as given to --model
 */
export function mixingValues(
  values: FewTokensOptions,
  origins: Readonly<Record<string, Origin>>,
  ways: readonly AnyWay[],
  model: string,
): FewTokensOptions {
  const run = runValues(model);
  const isRuns = ways.some((way) => way === run.thinking);
  const mixing: Record<string, unknown> = {};
  for (const [name, heeding] of Object.entries(HEEDED_BY)) {
    if (!ways.some((way) => heeding.includes(way))) continue;
    const kept = isRuns && origins[name] === "default" ? run[dashed(name)] : undefined;
    const isValue = typeof kept === "number" || typeof kept === "boolean";
    mixing[name] = isValue ? kept : values[name as keyof FewTokensOptions];
  }
  const { width = widthOf(ways), ...others }: FewTokensOptions = mixing;
  return { width, ...others };
}

/** The width that these ways have in common; undefined where each has its own. */
function widthOf(ways: readonly AnyWay[]): number | undefined {
  const widths = new Set(
    ways.flatMap((way) =>
      way in WAY_DEFAULTS.width ? [WAY_DEFAULTS.width[way as keyof typeof WAY_DEFAULTS.width]] : []
    ),
  );
  return widths.size === 1 ? [...widths][0] : undefined;
}
