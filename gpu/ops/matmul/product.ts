import type { Gpu } from "../../gpu.ts";
import { run } from "../../kernel.ts";
import type { Tensor } from "../../tensor.ts";
import { chooseKernel } from "./choose_kernel.ts";
import {
  type BType,
  type Kernel,
  type MatmulVariant,
  type Product,
  type Prologue,
  type Sizes,
  SPARSE_STEP,
} from "./variant.ts";
import { activeSteps } from "./active_steps.ts";
import { matmulSource } from "./matmul_source.ts";
import type { Operands } from "./operands.ts";
import { prologueBytes } from "./gpu_prologue.ts";
import { partedProduct, splitProduct } from "./side_by_side.ts";
import { splitBytesNT } from "./split/split_layout.ts";
import { rowsTogether, tileBytes } from "./tile/tile_kernel.ts";

/** C (+)= A B by the kernel that suits device and sizes. `sparse`: A, of an `nn` product, is mostly zeros. */
export function product(
  gpu: Gpu,
  kind: Product,
  operands: Operands,
  sizes: Sizes,
  accumulate: boolean,
  sparse = false,
): void {
  const { bType } = operands.b;
  const choose = (sparse: boolean): [Kernel, MatmulVariant] => {
    const kernel = chooseKernel(gpu, kind, bType, sizes, sparse);
    const { terms: _, parts: __, ...rest } = kernel;
    return [kernel, { kind, bType, sparse, accumulate, ...rest }];
  };
  const [kernel, variant] = choose(sparse);
  if (kind === "nn" && kernel.tile.family === "split") return splitProduct(gpu, operands, sizes, variant);
  if (kernel.parts && kernel.parts > 1) return partedProduct(gpu, operands, sizes, variant, kernel.parts);
  if (!sparse) return denseProduct(gpu, operands, sizes, variant, kernel.terms);
  if (canListSteps(sizes, kernel)) return sparseProduct(gpu, operands, sizes, variant, kernel.terms);
  const [dense, denseVariant] = choose(false);
  denseProduct(gpu, operands, sizes, denseVariant, dense.terms);
}

const tensorsOf = ({ a, b, c, normWeight, lowRank }: Operands, { aligned }: MatmulVariant): Tensor[] => [
  ...[a, b.tensor, c],
  ...(b.scales ? [b.scales] : []),
  // The kernels of software devices read the rows to be normed in vectors of another width.
  ...(normWeight ? [...(aligned ? [] : [a]), normWeight] : []),
  ...(lowRank ? [lowRank.u, lowRank.blocks] : []),
];

/** What a product of few rows does beside itself, each of which would be a dispatch of its own. */
interface Beside {
  /** A is made so as it is loaded. */
  prologue?: Prologue;
  /** The operands' product of low rank is added: by a kernel of split sums alone. */
  lowRank?: boolean;
}

// Each workgroup makes A anew: cheap beside its share of W for few rows.
const MOST_PROLOGUE_ROWS = 8;

/** The kernel of C (+)= A W^T in one dispatch, with A made by `prologue` if there is one; none where it does not do that. */
export function kernelOfOne(
  gpu: Gpu,
  prologue: Prologue | undefined,
  bType: BType,
  sizes: Sizes,
): Kernel | undefined {
  if (prologue !== undefined && gpu.matmulFamily === "broadcast" && sizes.m > MOST_PROLOGUE_ROWS) {
    return undefined;
  }
  const kernel = chooseKernel(gpu, "nt", bType, sizes);
  const allowed = prologue === undefined || allowsPrologue(gpu, prologue, bType, sizes, kernel);
  return allowed && sizes.k <= kernel.terms ? kernel : undefined;
}

/** C (+)= A W^T and what is done beside it by a kernel of {@link kernelOfOne}. */
export function productOfOne(
  gpu: Gpu,
  { terms, ...kernel }: Kernel,
  beside: Beside,
  operands: Operands,
  sizes: Sizes,
  accumulate: boolean,
): void {
  const { bType } = operands.b;
  denseProduct(gpu, operands, sizes, { kind: "nt", bType, accumulate, ...beside, ...kernel }, terms);
}

// Of the tiles of GPUs, whose workgroups make A anew too, and which come to many rows: as many numbers in all workgroups together take some microseconds.
const MOST_REPEATED = 8 * 1024 * 1024;

function allowsPrologue(
  { workgroups }: Gpu,
  prologue: Prologue,
  bType: BType,
  { m, n, k }: Sizes,
  { tile, loads, aligned }: Omit<Kernel, "terms">,
): boolean {
  if (!aligned) return loads !== undefined && k % loads.a === 0;
  const split = tile.family === "split";
  if (!aligned.a || (!split && m * k * Math.ceil(n / tile.cols) > MOST_REPEATED)) return false;
  const { rows } = tile;
  const together = split ? rows : rowsTogether(tile);
  const bytes = split ? splitBytesNT(bType, tile) : tileBytes("nt", tile);
  return bytes + prologueBytes(prologue, { rows, together }) <= workgroups.bytes;
}

function denseProduct(
  gpu: Gpu,
  operands: Operands,
  sizes: Sizes,
  variant: MatmulVariant,
  terms: number,
): void {
  const { m, n, k } = sizes;
  const { tile } = variant;
  const columns = Math.ceil(n / tile.cols);
  const rows = 65535 * tile.rows;
  for (let k0 = 0; k0 < k; k0 += terms) {
    for (let row = 0; row < m; row += rows) {
      const accumulate = variant.accumulate || k0 > 0;
      // Columns of a split sum are few a workgroup, and may be too many for one dimension.
      const rowTiles = Math.min(Math.ceil((m - row) / tile.rows), 65535);
      const groups: [number, number, number?] = tile.family === "split"
        ? [Math.min(columns, 32768), Math.ceil(columns / 32768), rowTiles]
        : [columns, rowTiles];
      run(gpu, matmulSource({ ...variant, accumulate }, gpu.subgroupSize), tensorsOf(operands, variant), {
        ...sizes,
        rowStart: row,
        kStart: k0,
        kEnd: Math.min(k, k0 + terms),
        listStart: 0,
        listStride: 0,
        span: 0,
        rank: operands.lowRank?.blocks.shape[1] ?? 0,
      }, groups);
    }
  }
}

// Below this a list costs what it saves; above, an invocation would loop too often.
const LEAST_SPARSE = 1024;
const MOST_STEPS = 32768;

/** Terms that a sparse product takes or skips together. */
const stepOf = ({ tile }: { tile: MatmulVariant["tile"] }): number =>
  tile.family === "tile" ? tile.depth : SPARSE_STEP;

/** Whether a list of k-steps can be made and read. */
function canListSteps({ m, k, lda, aOff }: Sizes, { tile, loads, aligned }: Kernel): boolean {
  const length = stepOf({ tile });
  const listed = aligned ? lda % 4 === 0 : loads !== undefined;
  return listed && k % length === 0 && aOff % length === 0 && k >= LEAST_SPARSE && k <= MOST_STEPS * length &&
    m <= 65535;
}

/**
 * Lists the k-steps whose terms are not zero in all rows of a tile, then sums those: at most `most` terms in a dispatch, for
 * which there is a list for each tile.
 */
function sparseProduct(
  gpu: Gpu,
  operands: Operands,
  sizes: Sizes,
  variant: MatmulVariant,
  most: number,
): void {
  const { m, n, k, lda, aOff } = sizes;
  const { tile } = variant;
  const length = stepOf(variant);
  const terms = Math.min(most, k);
  const rowTiles = Math.ceil(m / tile.rows);
  const span = terms / length;
  const dispatches = Math.ceil(k / terms);
  using scratch = gpu.arena.scratch();
  const list = scratch.u32([dispatches, rowTiles, span + 1], "active k-steps");
  const words = gpu.u64Loads && lda % 8 === 0 ? 8 : 4;
  const steps = k / length;
  run(gpu, activeSteps(tile.rows, length, words, gpu), [operands.a, list], { m, lda, aOff, steps, span }, [
    rowTiles,
    dispatches,
  ]);
  for (let i = 0; i < dispatches; i++) {
    const accumulate = variant.accumulate || i > 0;
    run(gpu, matmulSource({ ...variant, accumulate }, gpu.subgroupSize), [
      ...tensorsOf(operands, variant),
      list,
    ], {
      ...sizes,
      rowStart: 0,
      kStart: i * terms,
      kEnd: Math.min(k, (i + 1) * terms),
      listStart: i * rowTiles * (span + 1),
      listStride: span + 1,
      span: 0,
      rank: 0,
    }, [Math.ceil(n / tile.cols), rowTiles]);
  }
}
