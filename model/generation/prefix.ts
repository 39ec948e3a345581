import { assert } from "../../gpu/assert.ts";

/** A prompt in the KV cache, whose keys and values all sequences of its job share. */
export interface Prefix {
  /** Index of the job. */
  job: number;
  /** The prompt's tokens. */
  ids: readonly number[];
  /** KV row of its first token; the others follow. */
  start: number;
  /** Sequences of the job that wait or run: when none is left, its KV rows are free. */
  unfinished: number;
  /** Its keys and values are in the cache, or recorded. */
  prefilled: boolean;
}

/** A prompt whose KV rows are taken, before its prefill. */
export function createPrefix(
  { job, ids, start, unfinished }: Omit<Prefix, "prefilled">,
  prefixRows: number,
): Prefix {
  assert(
    ids.length > 0 && start >= 0 && start + ids.length <= prefixRows && unfinished > 0,
    () =>
      `Cannot share a prompt of ${ids.length} tokens at KV row ${start} among ${unfinished} sequences: ` +
      `a token, a sequence, and rows within the ${prefixRows} of prefixes are needed`,
  );
  return { job, ids, start, unfinished, prefilled: false };
}
