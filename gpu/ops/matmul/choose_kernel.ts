import type { Gpu } from "../../gpu.ts";
import { chooseGpuKernel, measuredRows } from "./choose_gpu_kernel.ts";
import { chooseSoftwareKernel } from "./choose_software_kernel.ts";
import type { BType, Kernel, Product, Sizes } from "./variant.ts";

/**
 * The kernel for a product: the tuned one, else what was measured on a software device, or reasoned for GPUs. The order of the
 * sum is the family's: what was tuned of the other one is never taken.
 * @param sparse A, of an `nn` product, is mostly zeros
 */
export function chooseKernel(gpu: Gpu, kind: Product, bType: BType, sizes: Sizes, sparse = false): Kernel {
  const tuned = (m: number) => gpu.tuning.get(tuningClass(kind, bType, { m, n: sizes.n }));
  return gpu.matmulFamily === "tile"
    ? chooseGpuKernel(gpu, kind, bType, sizes, tuned(measuredRows(kind, sizes.m)), sparse)
    : chooseSoftwareKernel(gpu, kind, bType, sizes, tuned(sizes.m), sparse);
}

/** Most columns of a narrow product. */
const NARROW = 256;

/**
 * Products that share a measured choice of tile: alike but for terms, with rows m in the same range, and both narrow or both wide
 * in columns n. Under the tiles that suit a wide product, a narrow one (n at most 256) would leave cores idle.
 */
export function tuningClass(kind: Product, bType: BType, { m, n }: { m: number; n: number }): string {
  const rows = m === 1 ? "1" : m <= 8 ? "2-8" : m <= 128 ? "9-128" : "129-";
  return `${kind} ${bType} ${rows} ${n <= NARROW ? "narrow" : "wide"}`;
}
