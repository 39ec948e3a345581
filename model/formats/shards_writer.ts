import { writeJson } from "../files/write_whole.ts";
import type { TensorWriter } from "./placed_file.ts";
import { DTYPE_BYTES } from "./safetensors_header.ts";
import { createSafetensors, type TensorSpec } from "./safetensors_writer.ts";

/** As transformers has it: files of up to 5 GB. */
const SHARD_BYTES = 5e9;

/**
 * Starts the weights of a Hugging Face folder: model.safetensors, or, above a size, several files with
 * model.safetensors.index.json, each written when its first tensor comes.
 *
 * @param folder that is there
 * @param specs all tensors
 * @param most bytes of tensors in one file
 */
export function createShards(folder: string, specs: readonly TensorSpec[], most = SHARD_BYTES): TensorWriter {
  const shards: TensorSpec[][] = [];
  let room = 0;
  for (const spec of specs) {
    const bytes = bytesOf(spec);
    if (bytes > room || shards.length === 0) {
      shards.push([]);
      room = most;
    }
    shards.at(-1)!.push(spec);
    room -= bytes;
  }
  if (shards.length <= 1) return createSafetensors(`${folder}/model.safetensors`, specs);
  const five = (n: number) => String(n).padStart(5, "0");
  const names = shards.map((_, i) => `model-${five(i + 1)}-of-${five(shards.length)}.safetensors`);
  const shardOf = new Map(shards.flatMap((shard, i) => shard.map(({ name }) => [name, i] as const)));
  const writers = shards.map((shard, i) => createSafetensors(`${folder}/${names[i]}`, shard));
  const abort = () => writers.forEach((writer) => writer.abort());
  const finish = () => {
    writers.forEach((writer) => writer.finish());
    const index = {
      metadata: { total_size: specs.reduce((sum, spec) => sum + bytesOf(spec), 0) },
      weight_map: Object.fromEntries(specs.map(({ name }) => [name, names[shardOf.get(name)!]])),
    };
    writeJson(`${folder}/model.safetensors.index.json`, index);
  };
  const write = (name: string, values: Float32Array<ArrayBuffer>) =>
    writers[shardOf.get(name) ?? 0].write(name, values);
  return { write, finish, abort };
}

const bytesOf = ({ dtype, shape }: TensorSpec) =>
  DTYPE_BYTES[dtype] * shape.reduce((product, n) => product * n, 1);
