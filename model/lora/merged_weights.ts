import { UserError } from "../../gpu/errors.ts";
import { openSafetensors } from "../formats/safetensors.ts";
import { readTensor, type TensorFile } from "../formats/tensor_file.ts";
import { scaleOf } from "../transformer/adapter.ts";
import type { ModelConfig } from "../transformer/config.ts";
import { ADAPTER_WEIGHTS, readAdapterConfig } from "./adapter_config.ts";
import { checkNames } from "./load_adapter.ts";
import { modelFile } from "../files/model_file.ts";

/** The update of one projection. */
interface Update {
  name: string;
  /** [rank, inputs] and [outputs, rank]. */
  a: Float32Array;
  b: Float32Array;
  inputs: number;
}

/**
 * A model's weights with an adapter merged into them, W + s B A, computed as they are read and on no device: the model
 * need not fit into memory. Each element is summed in f64 and rounded to f32 once.
 *
 * @param weights of the base model, which stay open when the view is closed
 * @param folder of the adapter, in PEFT's form
 * @throws UserError if the adapter is damaged, or does not fit the model
 */
export function mergedWeights(config: ModelConfig, weights: TensorFile, folder: string): TensorFile {
  const settings = readAdapterConfig(folder);
  const scale = scaleOf(settings);
  const adapter = openSafetensors(modelFile(folder, ADAPTER_WEIGHTS));
  try {
    checkNames(adapter, config, folder);
    for (const name of weights.tensors.keys()) checkShapes(adapter, weights, name, settings.rank, folder);
  } catch (error) {
    adapter.close();
    throw error;
  }
  // Pieces of one tensor come one after another.
  let last: Update | undefined;
  const read = (name: string, from: number, out: Float32Array<ArrayBuffer>) => {
    weights.read(name, from, out);
    if (!adapter.tensors.has(halfOf(name, "A"))) return;
    if (last?.name !== name) {
      const [a, b] = [readTensor(adapter, halfOf(name, "A")), readTensor(adapter, halfOf(name, "B"))];
      last = { name, a, b, inputs: a.length / settings.rank };
    }
    addUpdate(last, scale, settings.rank, from, out);
  };
  const { readStored: _, ...rest } = weights;
  return { ...rest, read, close: () => adapter.close() };
}

function addUpdate(
  { a, b, inputs }: Update,
  scale: number,
  rank: number,
  from: number,
  out: Float32Array,
): void {
  const sums = new Float64Array(inputs);
  for (let done = 0; done < out.length;) {
    const [row, col] = [Math.floor((from + done) / inputs), (from + done) % inputs];
    const count = Math.min(inputs - col, out.length - done);
    sums.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = scale * b[row * rank + r];
      const begin = r * inputs + col;
      for (let i = 0; i < count; i++) sums[i] += factor * a[begin + i];
    }
    for (let i = 0; i < count; i++) out[done + i] += sums[i];
    done += count;
  }
}

/** PEFT's name of the A or B of a weight. */
const halfOf = (weight: string, half: "A" | "B") =>
  `base_model.model.${weight.replace(/\.weight$/, "")}.lora_${half}.weight`;

function checkShapes(
  adapter: TensorFile,
  weights: TensorFile,
  name: string,
  rank: number,
  folder: string,
): void {
  const [outputs, inputs] = weights.tensors.get(name)!.shape;
  for (const [half, shape] of [["A", [rank, inputs]], ["B", [outputs, rank]]] as const) {
    const found = adapter.tensors.get(halfOf(name, half));
    if (found === undefined || found.shape.join() === shape.join()) continue;
    throw new UserError(
      `Cannot use the adapter ${folder}: ${found.name} is [${found.shape.join(", ")}], the model asks for [${
        shape.join(", ")
      }]`,
      "an adapter fits the model that it was trained on, and models of the same shape",
    );
  }
}
