import { asMatrix, type Tensor } from "../../../gpu/tensor.ts";
import { gather } from "../../../gpu/ops/gather/gather.ts";
import { logits } from "../../../model/transformer/head.ts";
import { packGroups, uploadLayout } from "../../../model/transformer/packing.ts";
import { forwardTraining, type Model } from "../../../model/transformer/transformer.ts";
import { pickForward, pickRows } from "../../../model/transformer/picked_rows.ts";

/** The logits of every position of one text, [ids, V], row by row; row t predicts id t + 1. */
export async function logitsOf(model: Model, ids: readonly number[]): Promise<Float32Array[]> {
  const { gpu, config, params } = model;
  using scratch = gpu.arena.scratch();
  const upload = (data: Uint32Array<ArrayBuffer>) => {
    const tensor = scratch.u32([data.length], "ids");
    gpu.commands.upload(tensor, data);
    return tensor;
  };
  const x = scratch.f32([ids.length, config.hiddenSize], "rows");
  gather(gpu, params.embedding, upload(Uint32Array.from(ids)), x);
  return await logitsOfRows(model, x);
}

/** The same of rows [rows, d] that are no tokens' embeddings, or not all of them; they are overwritten. */
export async function logitsOfRows(model: Model, x: Tensor): Promise<Float32Array[]> {
  const { gpu } = model;
  using scratch = gpu.arena.scratch();
  const [length] = x.shape;
  const packed = packGroups([{ prompt: length, continuations: [] }], gpu.subgroupSize);
  const { output } = forwardTraining(model, x, uploadLayout(gpu, scratch, packed), scratch, false);
  const rows: Float32Array[] = [];
  // 64 rows of logits at a time stay within any binding.
  for (let from = 0; from < length; from += 64) {
    using part = gpu.arena.scratch();
    const count = Math.min(64, length - from);
    const picked = pickRows(gpu, part, Uint32Array.from({ length: count }, (_, i) => from + i));
    const z = logits(model, pickForward(model, output, picked, part).y, part);
    const values = new Float32Array(await gpu.reader.read(z));
    const { cols } = asMatrix(z);
    for (let i = 0; i < count; i++) rows.push(values.slice(i * cols, (i + 1) * cols));
  }
  return rows;
}
