import { UserError } from "../../gpu/errors.ts";
import { BLOCK_BYTES, isQuantised } from "../../gpu/quantised.ts";

/**
 * Refuses NaN and infinity among numbers of a tensor: a model that holds one answers nothing but nonsense, in silence.
 *
 * @param cannot what cannot be done with it, such as `load`
 * @throws UserError that names the tensor
 */
export function refuseNotFinite(values: Float32Array, name: string, cannot: string): void {
  if (areFinite(values)) return;
  throw notFinite(name, cannot, values.find((value) => !Number.isFinite(value))!);
}

/** Whether all numbers are finite. */
export function areFinite(values: Float32Array): boolean {
  // A sum in f64 of numbers of f32 is finite unless one of them is not.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return Number.isFinite(sum);
}

/**
 * As {@link refuseNotFinite}, among elements as a file has them: f16, or blocks whose scales are.
 *
 * @param stored rows of F16, or whole blocks of a type that products read
 */
export function refuseStoredNotFinite(
  stored: Uint8Array<ArrayBuffer>,
  type: string,
  name: string,
  cannot: string,
): void {
  const halves = new Uint16Array(stored.buffer, stored.byteOffset, stored.length / 2);
  const quantised = type.toLowerCase();
  const stride = isQuantised(quantised) ? BLOCK_BYTES[quantised] / 2 : 1;
  // Blocks of Q4_1 begin with a scale and a least value, of others with a scale.
  for (let from = 0; from < (quantised === "q4_1" ? 2 : 1); from++) {
    for (let i = from; i < halves.length; i += stride) {
      if ((halves[i] & 0x7c00) === 0x7c00) {
        throw notFinite(name, cannot, halves[i] & 0x3ff ? NaN : halves[i] & 0x8000 ? -Infinity : Infinity);
      }
    }
  }
}

const notFinite = (name: string, cannot: string, value: number): UserError =>
  new UserError(
    `Cannot ${cannot} the weights: ${name} holds ${value}, finite numbers are needed`,
    "the file is damaged, or a training ran away: take another checkpoint, or train with a smaller --lr",
  );
