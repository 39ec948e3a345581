import type { Part } from "../generation/rollout.ts";
import { isStale, readStride, type Stride } from "../generation/stride.ts";
import { STRIDE } from "../transformer/stride_steps.ts";
import type { Admission } from "./admission.ts";
import type { ServedSequence } from "./served_sequence.ts";
import type { ServedToken } from "./serving_job.ts";
import type { SeenSteps } from "./step_by_group.ts";

/** Steps to be seen that have come: rows [places, STRIDE, width]. */
interface SeenRows extends Pick<SeenSteps, "logits" | "mixtures"> {
  rows: Float32Array;
  width: number;
}

/**
 * Tells the tokens of a stride to the jobs that wait for them; sequences whose part ended go on to their answer, or finish. A job that
 * throws ends alone.
 *
 * @param admission lets those leave that end by themselves, and those whose job wants no more
 * @returns how many tokens came
 */
export function tellStride(
  stride: Stride,
  bytes: ArrayBuffer,
  seen: SeenRows | null,
  { tell, finish }: Pick<Admission, "tell" | "finish">,
): number {
  const came = new Map<ServedSequence, { part: Part; tokens: ServedToken[]; ended: boolean }>();
  readStride(stride, bytes, (row, token) => {
    if (isStale(row)) return true;
    const sequence = row.sequence as ServedSequence;
    const { part } = row;
    const here = came.get(sequence) ?? { part, tokens: [], ended: false };
    came.set(sequence, here);
    const at = (places: ReadonlyMap<unknown, number> | undefined) => {
      const place = places?.get(sequence);
      if (!seen || place === undefined) return undefined;
      const from = (place * STRIDE + here.tokens.length) * seen.width;
      return seen.rows.subarray(from, from + seen.width);
    };
    const step = { ...token, logits: at(seen?.logits), mixture: at(seen?.mixtures) };
    here.tokens.push(step);
    here.ended = tell(sequence, () => sequence.append(part, token)) ?? true;
    return here.ended;
  });
  let count = 0;
  for (const [sequence, { part, tokens, ended }] of came) {
    count += tokens.length;
    const { job, choice } = sequence;
    // Nobody is there to be told: it leaves when the next ones are admitted, or did with its job.
    if (job.signal.aborted || sequence.finished) continue;
    const isStopped = tell(sequence, () => {
      if (job.onTokens(choice, part, tokens)) return true;
      if (!ended || part !== "thinking" || job.plain) return false;
      sequence.beginAnswer();
      job.onAnswer(choice, sequence.forced);
      return false;
    });
    if (sequence.finished) continue;
    if (isStopped) finish(sequence, false);
    else if (ended && (part === "answer" || job.plain)) finish(sequence, true);
  }
  return count;
}
