import { ValidationError } from "@cliffy/command";
import { type AnyWay, HEEDED_BY } from "../../model/thinking/ways.ts";
import { dashed } from "./dashed.ts";
import type { Origin } from "./resolve_config.ts";

/**
 * Refuses flags that would do nothing.
 * @param ways the ways of thinking that are run
 * @param origins who set each value
 * @throws ValidationError for a flag that none of the ways heeds
 */
export function refuseIdleMixing(ways: readonly AnyWay[], origins: Readonly<Record<string, Origin>>): void {
  for (const [name, heeding] of Object.entries(HEEDED_BY)) {
    if (origins[name] !== "flag" || ways.some((way) => heeding.includes(way))) continue;
    throw new ValidationError(
      `--${dashed(name)} is of ${heeding.join(", ")} thinking: ${
        ways.join(", ")
      } would take no notice of it.`,
    );
  }
}
