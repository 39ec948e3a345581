import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { type Matrix, rowsOfChunk, widthOf } from "../../matrix.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import { loadFunction } from "../gather/gather.ts";
import { matmulTN } from "../matmul/matmul.ts";
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
  const vector = d % 4 === 0;
  const { dtype, scales, chunks } = embedding;
  const code = () =>
    vectorPrelude(vector, gpu.subgroupSize) + loadFunction(dtype, vector) +
    freeBindings(mixCode, scales !== undefined);
  const label = vectorLabel(`mix_rows_${dtype}`, vector);
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
export function mixRowsBackward(gpu: Gpu, few: FewTokens, dRows: Tensor, vocab: number, grad: Matrix): void {
  const { rows } = asMatrix(dRows);
  using scratch = gpu.arena.scratch();
  const ones = scratch.f32([rows], "ones");
  gpu.commands.upload(ones, new Float32Array(rows).fill(1));
  const stats = scratch.f32([rows, 4], "stats of weights");
  const weights = scratch.f32([rows, grad.rows], "weights over the vocabulary");
  scatterTokens(gpu, few, ones, weights, vocab, 0, stats);
  matmulTN(gpu, weights, dRows, grad, { accumulate: true });
}
