/** Random weights as a GGUF file would have them, each tensor in the type that a test asks for. */
import type { ModelConfig } from "../../../model/transformer/config.ts";
import { bytesOfElements, ELEMENT_TYPES } from "../../../model/formats/element_types.ts";
import type { TensorEntry, TensorFile } from "../../../model/formats/tensor_file.ts";
import { tensorShapes } from "../../../model/transformer/params.ts";
import { randomArray, randomIntegers } from "../../reference/support.ts";

/** The type of a tensor of a name. */
export type TypeOf = (name: string) => string;

const BLOCKS: Record<string, number> = { Q8_0: 34, Q4_0: 18, Q4_1: 20 };

/** Numbers of about 0.1, or blocks whose scales come to that. */
function randomBytes(dtype: string, elements: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(bytesOfElements(dtype, elements));
  const size = BLOCKS[dtype];
  if (size === undefined) {
    const values = randomArray(seed, elements, 0.1);
    if (dtype === "F16") return new Uint8Array(Float16Array.from(values).buffer);
    const floats = Float32Array.from(values);
    if (dtype === "F32") return new Uint8Array(floats.buffer);
    const words = new Uint32Array(floats.buffer);
    return new Uint8Array(Uint16Array.from(words, (word) => word >>> 16).buffer); // BF16
  }
  bytes.set(randomIntegers(seed, bytes.length, 256));
  const scales = randomArray(seed + 1, bytes.length / size, dtype === "Q8_0" ? 0.0015 : 0.025);
  const view = new DataView(bytes.buffer);
  scales.forEach((scale, b) => {
    view.setFloat16(b * size, scale, true);
    if (dtype === "Q4_1") view.setFloat16(b * size + 2, -7.5 * scale, true);
  });
  return bytes;
}

/** A file of such weights; norms are F32 and near 1. */
export function packedWeights(config: ModelConfig, typeOf: TypeOf, seed = 0): TensorFile {
  const tensors = new Map<string, TensorEntry>();
  const data = new Map<string, Uint8Array<ArrayBuffer>>();
  let at = seed;
  for (const { name, shape } of tensorShapes(config)) {
    const elements = shape.reduce((product, n) => product * n, 1);
    const dtype = shape.length === 1 ? "F32" : typeOf(name);
    const bytes = randomBytes(dtype, elements, at += 2);
    if (name.includes("norm")) {
      const values = new Float32Array(bytes.buffer);
      values.forEach((value, i) => values[i] = 1 + value);
    }
    data.set(name, bytes);
    tensors.set(name, { name, dtype, shape, elements, begin: 0, end: bytes.length });
  }
  const read = (name: string, from: number, out: Float32Array<ArrayBuffer>) => {
    const { dtype, elements } = tensors.get(name)!;
    const whole = new Float32Array(elements);
    const { toF32, blockElements } = ELEMENT_TYPES[dtype];
    toF32(data.get(name)!, elements / blockElements, whole, 0);
    out.set(whole.subarray(from, from + out.length));
  };
  const readStored = (name: string, row: number, out: Uint8Array<ArrayBuffer>) => {
    const { dtype, shape } = tensors.get(name)!;
    const begin = row * bytesOfElements(dtype, shape[1]);
    out.set(data.get(name)!.subarray(begin, begin + out.length));
  };
  return { tensors, metadata: {}, read, readStored, close: () => {} };
}
