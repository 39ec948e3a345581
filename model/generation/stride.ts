import { assert } from "../../gpu/assert.ts";
import { STRIDE } from "../transformer/stride_steps.ts";
import type { Part } from "./rollout.ts";
import type { ChosenToken, Sequence } from "./sequence.ts";

/** Whose row of a stride it is: the sequence, what it was generating then, and which beginning of its answer. */
interface StrideRow {
  sequence: Sequence;
  part: Part;
  answersBegun: number;
}

/** A stride on its way: whose rows, how many steps, and its tokens when they have come. */
export interface Stride {
  rows: StrideRow[];
  steps: number;
  read(): Promise<ArrayBuffer>;
}

/**
 * The next stride of these sequences, answers before thinking, before it is recorded.
 *
 * @param slots rows that there may be
 */
export function createStride(sequences: readonly Sequence[], slots: number): Omit<Stride, "read"> {
  const steps = Math.min(STRIDE, Math.max(...sequences.map(({ steps, maxSteps }) => maxSteps - steps)));
  assert(
    sequences.length > 0 && sequences.length <= slots && steps > 0,
    () =>
      `Cannot decode ${steps} steps of ${sequences.length} sequences in ${slots} slots: a step, and from 1 to ${slots} ` +
      "sequences are needed",
  );
  const rows = sequences.map((sequence, row): StrideRow => {
    const { index, part, steps, maxSteps, answersBegun, finished } = sequence;
    assert(
      !finished && steps >= 0 && steps < maxSteps &&
        (part === "answer" || sequences[row + 1]?.part !== "answer"),
      () =>
        `Cannot decode sequence ${index} in row ${row}: ${
          finished ? "it has finished" : `${part} is at step ${steps}`
        }, ` +
        `a step below ${maxSteps}, and answers in front, are needed`,
    );
    return { sequence, part, answersBegun };
  });
  return { rows, steps };
}

/** Whether what a row holds was computed past the end of its part, or for an answer that began too early: it is cut off. */
export const isStale = ({ sequence, part, answersBegun }: StrideRow): boolean =>
  sequence.finished ||
  (part === "thinking" ? sequence.thinkingEnded : answersBegun !== sequence.answersBegun);

/**
 * Tells each row's steps in order, until `take` says that the row has ended.
 *
 * @param bytes tokens u32 [rows, STRIDE] and statistics f32 [rows, STRIDE, 4] of answers, then those of thinking
 */
export function readStride(
  { rows, steps }: Stride,
  bytes: ArrayBuffer,
  take: (row: StrideRow, token: ChosenToken) => boolean,
): void {
  const size = rows.length * STRIDE;
  const words = new Uint32Array(bytes);
  const floats = new Float32Array(bytes);
  rows.forEach((row, r) => {
    const from = row.part === "answer" ? 0 : size * 5;
    for (let t = 0; t < steps; t++) {
      const at = r * STRIDE + t;
      const stats = from + size + at * 4;
      const token = {
        id: words[from + at],
        logp: floats[stats],
        entropy: floats[stats + 1],
        gap: floats[stats + 2],
      };
      if (take(row, token)) return;
    }
  });
}
