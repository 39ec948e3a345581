import { ValidationError } from "@cliffy/command";
import { type AnyWay, HEEDED_BY, heeds, type MixingOptions } from "../../model/thinking/ways.ts";
import { NOISE_PLACES } from "../../model/thinking/noise_on.ts";
import { dashed } from "./dashed.ts";
import type { Origin } from "./resolve_config.ts";

/**
 * Refuses flags that would do nothing.
 * @param ways the ways of thinking that are run
 * @param origins who set each value
 * @param noiseOn what the noise of soft and fuzzy thinking lies on
 * @throws ValidationError for a flag that none of the ways heeds
 */
export function refuseIdleMixing(
  ways: readonly AnyWay[],
  origins: Readonly<Record<string, Origin>>,
  noiseOn: MixingOptions["noiseOn"],
): void {
  for (const name of Object.keys(HEEDED_BY) as (keyof MixingOptions)[]) {
    if (origins[name] !== "flag" || ways.some((way) => heeds(way, name, noiseOn))) continue;
    throw new ValidationError(
      `--${dashed(name)} is of ${heedersOf(name)} thinking: ${ways.join(", ")} would take no notice of it.`,
    );
  }
}

/** The ways that heed an option, and with which noise soft and fuzzy do where that is not any. */
function heedersOf(name: keyof MixingOptions): string {
  const places = NOISE_PLACES.filter((place) => heeds("soft", name, place));
  const noisy = places.length === 0 || HEEDED_BY[name].includes("soft")
    ? []
    : [`soft or fuzzy (--noise-on ${places.join(", ")})`];
  return [...HEEDED_BY[name], ...noisy].join(", ");
}
