import type { Gpu } from "../../gpu.ts";
import type { KernelSource } from "../../kernel.ts";
import type { Heads } from "../heads.ts";
import type { AttentionDevice, AttentionShape } from "./shape.ts";

/** Keys of a split: on GPUs alone, so that decoding a few rows of a long context has work for all of it. */
export const splitOf = (gpu: Gpu): number | undefined => gpu.matmulFamily === "tile" ? 128 : undefined;

/** What is constant in the kernels for such heads. */
export const shapeOf = ({ heads, kvHeads, headDim }: Heads): AttentionShape => ({
  headDim,
  group: heads / kvHeads,
});

/** The kernel that `make` writes for this device and such heads. */
export function attentionKernel(
  gpu: Gpu,
  name: string,
  heads: Heads,
  make: (shape: AttentionShape, device: AttentionDevice) => string,
): KernelSource {
  const shape = shapeOf(heads);
  return {
    label: `attention_${name}_${shape.headDim}_${shape.group}`,
    code: () => make(shape, { subgroup: gpu.subgroupSize, u64: gpu.u64Loads, split: splitOf(gpu) }),
  };
}

/** Values of the Params that all attention kernels share (`header`). */
export type AttentionParams = ReturnType<typeof attentionParams>;

/** Those of one dispatch for all rows. */
export const attentionParams = (heads: Heads, rows: number, shift = 0) => ({
  shift,
  rows,
  heads: heads.heads,
  kvHeads: heads.kvHeads,
  scale: 1 / Math.sqrt(heads.headDim),
  skip: 0,
  span: rows,
  firstTile: 0,
  cut: 1,
  splits: 1,
});
