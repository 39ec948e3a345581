import type { Gpu } from "./gpu.ts";
import { mappedRange } from "./mapped_range.ts";
import type { Piece } from "./reader.ts";

/**
 * Gives a part of a lendable f32 tensor to the CPU, as it is after all that was recorded: what `use` changes is changed on the device. Nothing
 * that names the tensor may be recorded meanwhile.
 */
export async function lendElements(
  { commands, errors }: Gpu,
  { tensor, from, count }: Piece,
  use: (data: Float32Array<ArrayBuffer>) => Promise<void>,
): Promise<void> {
  commands.flush();
  const { buffer } = tensor.storage;
  const part = { at: tensor.offset + 4 * from, bytes: 4 * count };
  const range = await mappedRange(buffer, GPUMapMode.WRITE, part, errors);
  try {
    await use(new Float32Array(range));
  } finally {
    buffer.unmap();
  }
  await errors.settled();
  errors.check();
}
