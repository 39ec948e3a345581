import { UserError } from "../../gpu/errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { downloadMatrix, type Matrix } from "../../gpu/matrix.ts";
import { elementType } from "../formats/element_types.ts";
import { unreadableType } from "../formats/read_elements.ts";
import { createSafetensors } from "../formats/safetensors_writer.ts";
import type { TensorFile } from "../formats/tensor_file.ts";
import type { ModelConfig } from "../transformer/config.ts";
import { namedTensors, type Trainable } from "../transformer/params.ts";
import { refuseNotFinite } from "../weights/refuse_not_finite.ts";
import { createPieces, uploadTensor } from "../weights/upload_tensor.ts";

/**
 * Holds a file against what a model asks for, before anything is made for it.
 * @throws UserError if a tensor is missing or has another shape
 */
export function checkTensors(
  file: TensorFile,
  expected: Iterable<{ name: string; shape: number[] }>,
  where: string,
): void {
  for (const { name, shape } of expected) {
    const found = file.tensors.get(name);
    if (!found) {
      throw new UserError(`Cannot load ${where}: it has no tensor ${name}, which the model's shape asks for`);
    }
    if (found.shape.join() !== shape.join()) {
      throw new UserError(
        `Cannot load ${where}: ${name} is [${found.shape.join(", ")}], the model's shape asks for [${
          shape.join(", ")
        }]`,
      );
    }
    // Before anything is loaded, not in the midst of it.
    if (elementType(found.dtype) === undefined) throw unreadableType(name, found.dtype, where);
  }
}

/**
 * Fills weights (or moments of the same form, their names after a prefix) from a file, in pieces.
 * @param asked as {@link readingParams} takes it
 * @throws UserError if a tensor is missing or has another shape, or a number is too large for its matrix's type
 */
export function readParams(...asked: Parameters<typeof readingParams>): void {
  for (const _ of readingParams(...asked));
}

/**
 * Fills weights a tensor at a time, for those who let events in between: of a large model all of them take half a minute.
 * @param onProgress told after each tensor how many bytes of the file have been read, and of how many
 * @throws UserError as {@link readParams}
 */
export function* readingParams(
  gpu: Gpu,
  config: ModelConfig,
  file: TensorFile,
  params: Trainable,
  where: string,
  prefix = "",
  onProgress?: (done: number, total: number) => void,
): Generator<void> {
  const tensors = namedTensors(config, params).map((tensor) => ({ ...tensor, name: prefix + tensor.name }));
  checkTensors(file, tensors, where);
  const pieces = createPieces(Math.max(...tensors.map(({ matrix }) => matrix.cols)));
  const sizes = tensors.map(({ name }) => file.tensors.get(name)!).map(({ begin, end }) => end - begin);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let done = 0;
  for (const [i, tensor] of tensors.entries()) {
    uploadTensor(gpu, file, tensor, pieces);
    onProgress?.(done += sizes[i], total);
    yield;
  }
}

/**
 * Writes weights (or moments), or those that `keeps` names, under their Hugging Face names, as f32 or f16; sets that are gathered only when
 * their turn comes may lie in one place.
 * @throws UserError if one is not finite, or the disk refuses
 */
export async function writeParams(
  gpu: Gpu,
  config: ModelConfig,
  sets: readonly { prefix: string; params: Trainable; gather?: () => Promise<void> }[],
  path: string,
  dtype: "F32" | "F16",
  metadata: Record<string, string> = { format: "pt" },
  keeps: (name: string) => boolean = () => true,
): Promise<void> {
  const tensors = sets.flatMap((set) =>
    namedTensors(config, set.params).map((tensor) => ({ ...tensor, set, name: set.prefix + tensor.name }))
  ).filter(({ name }) => keeps(name));
  const writer = createSafetensors(
    path,
    tensors.map(({ name, shape }) => ({ name, dtype, shape })),
    metadata,
  );
  try {
    // Q, K and V come from one matrix: it is read once.
    let last: { matrix: Matrix; data: Float32Array<ArrayBuffer> } | undefined;
    let current: typeof sets[number] | undefined;
    for (const { name, shape, matrix, row, set } of tensors) {
      if (current !== set) {
        await set.gather?.();
        [current, last] = [set, undefined];
      }
      if (last?.matrix !== matrix) last = { matrix, data: await downloadMatrix(gpu, matrix) };
      const elements = shape.reduce((product, n) => product * n, 1);
      const values = last.data.subarray(row * matrix.cols, row * matrix.cols + elements);
      refuseNotFinite(values, name, "save");
      writer.write(name, values);
    }
    writer.finish();
  } catch (error) {
    writer.abort();
    throw error;
  }
}
