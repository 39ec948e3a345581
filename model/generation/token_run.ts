import { assert } from "../../gpu/assert.ts";
import type { RowRun } from "../transformer/packing.ts";
import type { Prefix } from "./prefix.ts";
import type { Sequence } from "./sequence.ts";

/** Tokens at consecutive positions that are prefilled together: a prompt, its last token again, or a forced text. */
export interface TokenRun extends Omit<RowRun, "rows" | "end"> {
  ids: readonly number[];
  /** Rows of the prefill's outputs that become the output of the run's last token. */
  outputRows: readonly number[];
}

/** A run that has tokens, and whose KV rows and output rows exist. */
export function createTokenRun(run: TokenRun, cacheRows: number, outputs: number): TokenRun {
  const { ids, outputRows, prefixStart, prefixLen, ownStart, position } = run;
  const end = ownStart + position - prefixLen + ids.length;
  assert(
    ids.length > 0 && Math.min(prefixStart, prefixLen, ownStart) >= 0 && position >= prefixLen &&
      end <= cacheRows && prefixStart + prefixLen <= cacheRows &&
      outputRows.every((row) => row >= 0 && row < outputs),
    () =>
      `Cannot prefill ${ids.length} tokens from position ${position} after a prefix of ${prefixLen}: KV rows begin at ` +
      `${ownStart} and ${prefixStart}, end at ${end} and ${
        prefixStart + prefixLen
      } of ${cacheRows}, output rows are ${outputRows.join(", ") || "none"} of ${outputs}; ` +
      `a token, and rows within these, are needed`,
  );
  return run;
}

/** The first `count` tokens of a run, whose outputs nobody wants, and the rest. */
export function splitRun(run: TokenRun, count: number): [TokenRun, TokenRun] {
  const { ids, position } = run;
  assert(
    count > 0 && count < ids.length,
    () => `Cannot split ${ids.length} tokens after ${count}: tokens on both sides are needed`,
  );
  // Rows within those of a run that was made with them exist.
  return [
    { ...run, ids: ids.slice(0, count), outputRows: [] },
    { ...run, ids: ids.slice(count), position: position + count },
  ];
}

/**
 * What has to be prefilled before these sequences are decoded: new prompts (or their last token again), then forced texts.
 *
 * @param rows each sequence's row of the outputs
 */
export function tokenRunsOf(rows: ReadonlyMap<Sequence, number>, cacheRows: number): TokenRun[] {
  const create = (run: TokenRun) => createTokenRun(run, cacheRows, rows.size);
  const prompts = new Map<Prefix, number[]>();
  const forcedTexts: TokenRun[] = [];
  for (const [{ part, partStart, prefix, prefixLen, forced, slot }, row] of rows) {
    const outputRows = prompts.get(prefix) ?? [];
    if (!prefix.prefilled || part === "thinking") prompts.set(prefix, outputRows);
    if (part === "thinking") {
      outputRows.push(row);
      continue;
    }
    forcedTexts.push(create({
      ids: forced,
      outputRows: [row],
      prefixStart: prefix.start,
      prefixLen,
      ownStart: slot.start,
      position: partStart - forced.length,
    }));
  }
  const promptRuns = [...prompts].map(([prefix, outputRows]): TokenRun => {
    // A sequence that begins later needs the output of the prompt's last token, whose keys are there already.
    const position = prefix.prefilled ? prefix.ids.length - 1 : 0;
    prefix.prefilled = true;
    return create({
      ids: prefix.ids.slice(position),
      outputRows,
      prefixStart: 0,
      prefixLen: 0,
      ownStart: prefix.start,
      position,
    });
  });
  return [...promptRuns, ...forcedTexts];
}
