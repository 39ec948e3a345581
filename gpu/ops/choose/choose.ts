import type { Gpu } from "../../gpu.ts";
import { grid, type KernelSource, run } from "../../kernel.ts";
import { type RandomKey, randomSource } from "../../random.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import { vocabularyKernel, vocabularyLanes } from "../wgsl/vocabulary.ts";
import code from "./choose.wgsl" with { type: "text" };
import scalarCode from "./choose_scalar.wgsl" with { type: "text" };
import u64Code from "./choose_u64.wgsl" with { type: "text" };

/** What a step does with the logits. */
export type Choice = "greedy" | "sample" | "mixture";

/** Where a step's results go: column `column` of tokens u32 [rows, columns] and stats f32 [rows, columns, 4]. */
export interface StepRecord {
  /** u32 [rows, columns]. */
  tokens: Tensor;
  /** [rows, columns, 4]. */
  stats: Tensor;
  /** The step's place. */
  column: number;
}

/**
 * Chooses each row's token: the most probable, or one drawn at temperature tau by a single uniform number; or turns
 * the logits z [rows, width] into mixture weights softmax(z / tau) in place and takes the most probable as shadow.
 * @param info u32 [rows, 4]: (row, rollout, _, position), the row of the record, position counted `shift` further
 * @param vocab columns that are real tokens: the rest are never chosen and weigh 0
 */
export function choose(
  gpu: Gpu,
  choice: Choice,
  z: Tensor,
  vocab: number,
  tau: number,
  info: Tensor,
  shift: number,
  record: StepRecord,
  chosen: Tensor,
  key: RandomKey,
): void {
  const { rows, cols: ldz } = asMatrix(z);
  expectShape("choose", info, [rows, 4]);
  expectShape("choose", chosen, [rows]);
  const { source, rowsEach } = kernelFor(gpu, vocab, ldz);
  run(
    gpu,
    source,
    [z, info, record.tokens, record.stats, chosen],
    {
      rows,
      vocab,
      ldz,
      mode: ["greedy", "sample", "mixture"].indexOf(choice),
      tau,
      columns: record.tokens.shape[1],
      column: record.column,
      shift,
      ...key,
    },
    grid(Math.ceil(rows / rowsEach)),
  );
}

/** The kernel, and the rows of one workgroup: on software devices loads and stores of 32 bytes, where rows begin at such addresses. */
function kernelFor(gpu: Gpu, vocab: number, ldz: number): { source: KernelSource; rowsEach: number } {
  const kernel = (name: string, space: string, passes: string) =>
    vocabularyKernel(name, vocab, () => randomSource + (code + passes).replaceAll("LANE_MEMORY", space));
  if (gpu.matmulFamily === "tile" || !gpu.u64Loads || ldz % 8 !== 0) {
    return { source: kernel("choose", "workgroup", scalarCode), rowsEach: 1 };
  }
  // Eight lanes an invocation: where that is a whole row, nothing is shared, and a subgroup takes as many rows as it has lanes.
  const members = vocabularyLanes(vocab) / 8;
  const rowsEach = members === 1 ? gpu.subgroupSize : 1;
  const barrier = `fn barrier() { ${members === 1 ? "" : "workgroupBarrier();"} }`;
  const constants = `const MEMBERS = ${members}u;\nconst ROWS = ${rowsEach}u;\n${barrier}\n`;
  return {
    source: kernel("choose_u64", members === 1 ? "private" : "workgroup", constants + u64Code),
    rowsEach,
  };
}
