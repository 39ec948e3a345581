import { UserError } from "../../gpu/errors.ts";
import type { WeightType } from "../../gpu/matrix.ts";
import { isByPanels, paddedCols, paddedRows, PANEL_BITS } from "../../gpu/panels.ts";
import { isQuantised, scaleWords } from "../../gpu/quantised.ts";
import { ELEMENT_BYTES } from "../../gpu/tensor.ts";
import type { TensorFile } from "../formats/tensor_file.ts";
import type { ModelConfig } from "../transformer/config.ts";
import {
  type LargeMatrix,
  type TensorPlace,
  tensorShapes,
  typeOf,
  type WeightTypes,
} from "../transformer/params.ts";

/**
 * How the large matrices are held on the device; norms and biases are f32 always.
 *
 * - `exact`: in the smallest type that holds the file's numbers as they are: packed where they are Q8_0, Q4_0 or Q4_1,
 *   f16 where they are F16, else f32. Results are those of f32, to the bit.
 * - `f32`: all of them.
 * - `f16`: all of them, rounded to 11 bits.
 * - `packed`: as `exact`, but what would be f32 is rounded to f16.
 */
export type WeightForm = "exact" | "f32" | "f16" | "packed";

/** All of {@link WeightForm}. */
export const WEIGHT_FORMS = ["exact", "f32", "f16", "packed"] as const satisfies readonly WeightForm[];

/** The types of a model's large matrices on the device, and what that means for results. */
interface PlannedWeights {
  types: WeightTypes;
  /** Every weight is the same number as in f32, and every sum the same chain: so are results. */
  exact: boolean;
}

/** The types that are kept as a file has them. */
const KEPT: Readonly<Record<string, WeightType>> = { Q8_0: "q8_0", Q4_0: "q4_0", Q4_1: "q4_1", F16: "f16" };

/**
 * Decides how a file's weights are held.
 *
 * @param file that they will be read from
 * @param source what messages call it
 * @throws UserError if they are to be packed, and none of them can be
 */
export function planWeights(
  config: ModelConfig,
  file: Pick<TensorFile, "tensors">,
  form: WeightForm,
  source: string,
): PlannedWeights {
  if (form === "f32") return { types: "f32", exact: true };
  const stored = storedTypes(config, file);
  const typeFor = (of: string[]): WeightType =>
    form === "f16" ? "f16" : smallestExact(of) ?? (form === "exact" ? "f32" : "f16");
  const types = new Map([...stored].map(([key, of]) => [key, typeFor(of)]));
  if (form === "packed" && ![...types.values()].some(isQuantised)) {
    const found = [...new Set([...stored.values()].flat())].join(", ");
    throw new UserError(
      `Cannot pack the weights of ${source}: they are stored as ${found}, some of Q8_0, Q4_0 or Q4_1 are needed`,
      "--weights exact takes the smallest types that change no result, --weights f16 half of f32",
    );
  }
  const exact = [...stored].every(([key, of]) => of.every((dtype) => holds(types.get(key)!, dtype)));
  return { types: (matrix, layer) => types.get(keyOf(matrix, layer))!, exact };
}

const keyOf = (matrix: LargeMatrix, layer: number): string => `${matrix} ${layer}`;

const LARGE: readonly string[] = [
  "embedding",
  "head",
  "qkv",
  "attentionOut",
  "gateUp",
  "down",
] satisfies LargeMatrix[];
const isLarge = (of: TensorPlace["of"]): of is LargeMatrix => LARGE.includes(of);

/** What the parts of each large matrix are stored as, by {@link keyOf}. */
function storedTypes(
  config: ModelConfig,
  { tensors }: Pick<TensorFile, "tensors">,
): Map<string, string[]> {
  const stored = new Map<string, string[]>();
  for (const { name, of, layer } of tensorShapes(config)) {
    if (!isLarge(of)) continue;
    const dtypes = stored.get(keyOf(of, layer)) ?? [];
    stored.set(keyOf(of, layer), [...dtypes, tensors.get(name)?.dtype ?? "F32"]);
  }
  return stored;
}

/** The smallest type below f32 that holds all parts as they are. */
const smallestExact = (stored: readonly string[]): WeightType | undefined =>
  (["q4_0", "q4_1", "q8_0", "f16"] as const).find((type) => stored.every((dtype) => holds(type, dtype)));

/** Whether every number of a stored type is one of ours. Q4_0 is integers from -8 to 7 times a scale, as Q8_0 is. */
const holds = (type: WeightType, stored: string): boolean =>
  type === "f32" || KEPT[stored] === type || stored === "Q4_0" && type === "q8_0";

/** Bytes of a matrix as it lies on the device: whole panels, of quantised ones with the scales beside them. */
function matrixBytes(type: WeightType, rows: number, cols: number): number {
  if (!isByPanels(type)) return rows * cols * ELEMENT_BYTES;
  const [height, width] = [paddedRows(rows), paddedCols(type, cols)];
  const scales = isQuantised(type) ? scaleWords(type, height, width) * ELEMENT_BYTES : 0;
  return height * width * PANEL_BITS[type] / 8 + scales;
}

/** Bytes that a model's weights take on the device. */
export function weightBytes(config: ModelConfig, types: WeightTypes): number {
  // Parts of a fused matrix lie under one another.
  const large = new Map<string, { type: WeightType; rows: number; cols: number }>();
  let bytes = 0;
  for (const { shape, of, layer } of tensorShapes(config)) {
    const cols = shape[shape.length - 1];
    const rows = shape.reduce((product, n) => product * n, 1) / cols;
    if (!isLarge(of)) {
      bytes += rows * cols * ELEMENT_BYTES;
      continue;
    }
    const before = large.get(keyOf(of, layer))?.rows ?? 0;
    large.set(keyOf(of, layer), { type: typeOf(types, of, layer), rows: before + rows, cols });
  }
  for (const { type, rows, cols } of large.values()) bytes += matrixBytes(type, rows, cols);
  return bytes;
}
