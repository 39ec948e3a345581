import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { type Matrix, rowsOfChunk, type WeightType, widthOf } from "../../matrix.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import { loadFunction } from "../gather/gather.ts";
import { matmulTN } from "../matmul/matmul.ts";
import { elementsOf } from "../wgsl/elements.ts";
import { freeBindings } from "../wgsl/free_bindings.ts";
import { vectorLabel, vectorPrelude } from "../wgsl/vector_prelude.ts";
import { type FewTokens, scatterTokens } from "./few_tokens.ts";
import mixCode from "./mix_rows.wgsl" with { type: "text" };

/** Where the rows that a step fed are kept: column `column` of fed [rollouts, columns, d], the row by info u32 [rows, 4]. */
export interface FedRows {
  info: Tensor;
  fed: Tensor;
  column: number;
}

/** out[r] = sum over j of values[r, j] E[ids[r, j]], j ascending within a chunk of E [V, d]; out [rows, d], and kept where asked for. */
export function mixRows(
  gpu: Gpu,
  embedding: Matrix,
  { ids, values }: FewTokens,
  out: Tensor,
  keep?: FedRows,
): void {
  const { rows, cols: d } = asMatrix(out);
  const { cols: k } = asMatrix(ids);
  expectShape("mix rows", ids, [rows, k]);
  expectShape("mix rows", values, [rows, k]);
  if (embedding.cols !== d) {
    throw new Error(`Cannot mix rows of ${embedding.label}: they are ${embedding.cols} wide, ${d} needed`);
  }
  const { dtype, scales, chunks } = embedding;
  const { label, prelude } = elementsFor(gpu, dtype, d);
  const code = () => prelude + freeBindings(mixCode, scales !== undefined);
  using scratch = gpu.arena.scratch();
  const kept = keep ? [keep.info, keep.fed] : [scratch.u32([4], "unused"), scratch.f32([4], "unused")];
  chunks.forEach((chunk, i) => {
    const params = {
      ...{ rows, d, width: widthOf(embedding), k, accumulate: i > 0 ? 1 : 0 },
      ...{ sourceRows: rowsOfChunk(embedding, i), base: i * embedding.chunkRows },
      ...{
        keep: keep && i === chunks.length - 1 ? 1 : 0,
        columns: keep?.fed.shape[1] ?? 0,
        column: keep?.column ?? 0,
      },
    };
    const tensors = [chunk, ids, out, ...(scales ? [scales[i]] : []), values, ...kept];
    run(gpu, { label, code }, tensors, params, grid(rows));
  });
}

/** grad [V, d] += w^T dRows, the gradient of E in {@link mixRows}: dRows [rows, d], w the values over the vocabulary. */
export function mixRowsBackward(gpu: Gpu, few: FewTokens, dRows: Tensor, grad: Matrix): void {
  const { rows } = asMatrix(dRows);
  using scratch = gpu.arena.scratch();
  const ones = scratch.f32([rows], "ones");
  gpu.commands.upload(ones, new Float32Array(rows).fill(1));
  const stats = scratch.f32([rows, 4], "stats of weights");
  const weights = scratch.f32([rows, grad.rows], "weights over the vocabulary");
  scatterTokens(gpu, few, ones, weights, 0, stats);
  matmulTN(gpu, weights, dRows, grad, { accumulate: true });
}

const SUMS = `alias Sum = V;
fn unpacked(v: V) -> Sum { return v; }
fn packed(sum: Sum) -> V { return sum; }
fn plus(sum: Sum, weight: f32, v: Sum) -> Sum { return fma(V(weight), v, sum); }
`;
const SUMS_OF_8 = `struct Sum { first: vec4<f32>, last: vec4<f32> }
fn unpacked(v: E) -> Sum { return Sum(first(v), last(v)); }
fn packed(sum: Sum) -> E { return vec8(sum.first, sum.last); }
fn plus(sum: Sum, weight: f32, v: Sum) -> Sum {
  return Sum(fma(vec4<f32>(weight), v.first, sum.first), fma(vec4<f32>(weight), v.last, sum.last));
}
`;

/** Numbers of f32 eight at once where that suits, else as any row is read. */
function elementsFor(gpu: Gpu, dtype: WeightType, d: number): { label: string; prelude: string } {
  const name = `mix_rows_${dtype}`;
  if (dtype === "f32") {
    const { label, prelude, width } = elementsOf(gpu, d);
    return {
      label: label(name),
      prelude: prelude + (width === 8 ? SUMS_OF_8 : SUMS) + loadFunction(dtype, width > 1),
    };
  }
  const vector = d % 4 === 0;
  return {
    label: vectorLabel(name, vector),
    prelude: vectorPrelude(vector, gpu.subgroupSize) + SUMS + loadFunction(dtype, vector),
  };
}
