import type { Gpu } from "../../gpu/gpu.ts";
import { createTokenRun, type TokenRun } from "../generation/token_run.ts";
import type { CachedPrompt } from "./prompt_cache.ts";
import type { ServedSequence } from "./served_sequence.ts";

/** Rows of prompts a turn: what a software device does in about half a second, and what keeps a GPU busy. */
const PREFILL_ROWS = { software: 128, gpu: 1024 };

/** Rows of prompts that a device is given at a time. */
export const prefillRowsOf = ({ adapter }: Gpu): number =>
  PREFILL_ROWS[adapter.software ? "software" : "gpu"];

/** What is prefilled before the next stride. */
export interface PrefillPlan {
  runs: TokenRun[];
  /** Sequences that are ready then, with their rows of the outputs. */
  rows: Map<ServedSequence, number>;
}

/** Fewer rows of one prompt a turn are not worth their tile. */
const LEAST_ROWS = 16;

/**
 * The next rows of prompts, and the forced texts that answers begin with. Prompts share the rows of a turn equally, so that short
 * ones do not wait for long ones, nor those that are being answered for either; what one does not need the next ones get.
 *
 * @param sequences that run, in the order in which they came
 * @param budget rows of prompts, about
 */
export function planPrefill(
  sequences: readonly ServedSequence[],
  budget: number,
  cacheRows: number,
): PrefillPlan {
  const rows = new Map<ServedSequence, number>();
  const runs: TokenRun[] = [];
  const add = (run: TokenRun) => void runs.push(createTokenRun(run, cacheRows, sequences.length));
  const outputOf = (sequence: ServedSequence): number[] => {
    rows.set(sequence, rows.size);
    return [rows.get(sequence)!];
  };
  const waiting = sequences.filter(({ row, steps, maxSteps }) => row === null && steps < maxSteps);
  const atPrompt = waiting.filter(({ part, restFilled, rest }) =>
    part === "thinking" || restFilled < rest.length
  );
  const share = Math.max(LEAST_ROWS, Math.floor(budget / Math.max(1, atPrompt.length)));
  let left = budget;
  const take = (wanted: number, all: boolean): number => {
    const count = Math.min(wanted, Math.max(0, left), all ? wanted : share);
    left -= count;
    return count;
  };
  const advance = (sequence: ServedSequence, all: boolean) => {
    const { prefix, prefixLen, rest, slot } = sequence;
    if (prefix.copied) return;
    if (prefix.filled < prefixLen) {
      const count = take(prefix.ids.length - prefix.filled, all);
      if (count > 0) add({ ...promptRun(prefix, count), outputRows: [] });
      prefix.filled += count;
    }
    if (prefix.filled < prefixLen || sequence.restFilled === rest.length) return;
    const from = sequence.restFilled;
    const count = take(rest.length - from, all);
    if (count === 0) return;
    sequence.restFilled += count;
    const isWhole = sequence.restFilled === rest.length;
    add({
      ids: rest.slice(from, from + count),
      outputRows: isWhole && sequence.part === "thinking" ? outputOf(sequence) : [],
      prefixStart: prefix.start,
      prefixLen,
      ownStart: slot.start,
      position: prefixLen + from,
    });
  };
  for (const all of [false, true]) for (const sequence of atPrompt) advance(sequence, all);
  for (const sequence of waiting) {
    const { part, partStart, prefix, prefixLen, rest, restFilled, forced, slot } = sequence;
    if (part !== "answer" || restFilled < rest.length) continue;
    add({
      ids: forced,
      outputRows: outputOf(sequence),
      prefixStart: prefix.start,
      prefixLen,
      ownStart: slot.start,
      position: partStart - forced.length,
    });
  }
  return { runs, rows };
}

/** The next `count` tokens of a prompt that others may share. */
function promptRun({ ids, start, filled }: CachedPrompt, count: number): Omit<TokenRun, "outputRows"> {
  return {
    ids: ids.slice(filled, filled + count),
    prefixStart: 0,
    prefixLen: 0,
    ownStart: start,
    position: filled,
  };
}
