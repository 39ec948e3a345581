import type { Gpu } from "../device.ts";
import { run, spread } from "../kernel.ts";
import { type RandomKey, randomSource } from "../random.ts";
import { asMatrix, expectShape, type Tensor } from "../tensor.ts";
import { vocabularyKernel } from "./vocabulary.ts";
import code from "./choose.wgsl" with { type: "text" };

/** What a step does with the logits. */
export type Choice = "greedy" | "sample" | "mixture";

/** Where a step's results go: column `column` of tokens u32 [slots, columns] and stats f32 [slots, columns, 4]. */
export interface StepRecord {
  /** u32 [slots, columns]. */
  tokens: Tensor;
  /** [slots, columns, 4]. */
  stats: Tensor;
  /** The step's place. */
  column: number;
}

/**
 * Chooses each row's token: the most probable, or one drawn at temperature tau by a single uniform number; or turns
 * the logits z [rows, width] into mixture weights softmax(z / tau) in place and takes the most probable as shadow.
 * @param info u32 [rows, 4]: (slot, rollout, _, position), position counted `shift` further
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
  run(
    gpu,
    vocabularyKernel("choose", vocab, randomSource + code),
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
    spread(rows),
  );
}
