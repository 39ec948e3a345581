/**
 * Rotary positions as config.json has them. transformers 4 writes `rope_theta` and `rope_scaling` beside each other, 5 one object
 * `rope_parameters` with theta in it, and reads all of them in any mixture: so does this.
 *
 * @module
 */
import { UserError } from "../../gpu/errors.ts";
import type { RopeScaling } from "../transformer/config.ts";
import { type Fields, positiveNumber, shownField } from "./config_fields.ts";

/** What config.json says of rotary positions. */
interface RopeValues {
  ropeTheta: number;
  ropeScaling: RopeScaling | undefined;
}

/** Objects that may hold the values; of the first that has any, those are taken. */
const PLACES = ["rope_scaling", "rope_parameters"] as const;
const KINDS = ["default", "linear", "llama3"] as const;

/**
 * Theta and scaling from wherever they stand, with the order of precedence of transformers 5: what is in the object goes before
 * what is beside it.
 *
 * @param fields of config.json
 * @param maxPosition its `max_position_embeddings`
 * @throws UserError if a value is impossible, or anything that is not supported is asked for in any place
 */
export function ropeFields(fields: Fields, maxPosition: number, where: string): RopeValues {
  const refuse = (what: string) => new UserError(`Cannot open the model by ${where}: ${what}`);
  refusePartial(fields, "", refuse);
  const objects = PLACES.map((place) => {
    const values = fields[place] ?? {};
    if (typeof values !== "object" || Array.isArray(values)) {
      throw refuse(`${place} is ${shownField(values)}, an object is needed`);
    }
    checkPlace(values as Fields, place, refuse);
    return values as Fields;
  });
  const at = Math.max(0, objects.findIndex((values) => Object.keys(values).length > 0));
  const [place, values] = [PLACES[at], objects[at]];
  const theta = values.rope_theta ?? fields.rope_theta;
  return {
    ropeTheta: positiveNumber({ rope_theta: theta }, "rope_theta", where, 10_000),
    ropeScaling: scalingOf(values, {
      original: fields.original_max_position_embeddings ?? values.original_max_position_embeddings ??
        maxPosition,
      where: `${place} of ${where}`,
      refuse,
    }),
  };
}

type Refuse = (what: string) => UserError;

function refusePartial(values: Fields, of: string, refuse: Refuse): void {
  const { partial_rotary_factor: factor = 1 } = values;
  if (factor === null || factor === 1) return;
  throw refuse(
    `partial_rotary_factor${of} is ${shownField(factor)}, 1 is needed: rotations of the whole head`,
  );
}

/** What is not supported is refused in an object that would not be read, too: it tells what the model is. */
function checkPlace(values: Fields, place: string, refuse: Refuse): void {
  refusePartial(values, ` in ${place}`, refuse);
  for (const key of ["rope_type", "type"]) {
    const kind = values[key];
    if (kind != null && !KINDS.some((known) => known === kind)) {
      throw refuse(`${place} is of type ${shownField(kind)}, llama3, linear or default is needed`);
    }
  }
  for (const [key, value] of Object.entries(values)) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) continue;
    throw refuse(`${place} has values of its own for ${shownField(key)}, the same for all layers are needed`);
  }
}

function scalingOf(
  values: Fields,
  { original, where, refuse }: { original: unknown; where: string; refuse: Refuse },
): RopeScaling | undefined {
  const number = (key: string) => positiveNumber(values, key, where);
  const type = values.rope_type ?? values.type ?? "default";
  if (type === "default") return undefined;
  if (type === "linear") return { type, factor: number("factor") };
  const [lowFreqFactor, highFreqFactor] = [number("low_freq_factor"), number("high_freq_factor")];
  if (lowFreqFactor >= highFreqFactor) {
    throw refuse(
      `low_freq_factor is ${lowFreqFactor}, less than high_freq_factor ${highFreqFactor} is needed`,
    );
  }
  const key = "original_max_position_embeddings";
  const originalMaxPosition = positiveNumber({ [key]: original }, key, where);
  return { type: "llama3", factor: number("factor"), lowFreqFactor, highFreqFactor, originalMaxPosition };
}
