import { STRIDE } from "../transformer/stride_steps.ts";
import { createKvRows, type Slot } from "../generation/kv_rows.ts";
import type { Prefix } from "../generation/prefix.ts";

/** A prompt in the KV cache, whose beginning others may share; it stays after its sequences until its rows are wanted. */
export interface CachedPrompt extends Prefix {
  /** Tokens, from the first, whose keys and values are in the cache, or recorded. */
  filled: number;
  /** Another one whose first `length` keys and values it gets, instead of computing them. */
  copied: { from: CachedPrompt; length: number } | null;
  /** Sequences and copies that need it. */
  users: number;
  /** When it was used last. */
  used: number;
}

/** Where a sequence lies in the cache. */
export interface Place {
  prefix: CachedPrompt;
  /** Tokens of the prompt that lie in the prefix; at least one more is the sequence's own. */
  prefixLen: number;
  /** KV rows of its own: the rest of its prompt, its new tokens, and a stride past its end. */
  slot: Slot;
}

/** The KV rows of a server: prompts that are kept, and rows of sequences. */
export interface PromptCache {
  /**
   * Rows for a sequence; null where there are too few now.
   * @param newTokens that may follow the prompt
   * @param isOne no other sequence has this prompt: it may then share a part of another one's alone
   */
  place(prompt: readonly number[], newTokens: number, isOne: boolean): Place | null;
  /** Gives a sequence's rows back. */
  leave(place: Place): void;
  /** Rows that are taken; those of prompts that are only kept count not. */
  readonly usedRows: number;
  /** Tokens of prompts that were found in the cache. */
  readonly sharedTokens: number;
}

/** Fewer tokens in common are not worth a look-up. */
const LEAST_SHARED = 16;

/** Most prompts that are kept: each is looked through for every new one. */
const MOST_KEPT = 256;

/** Divides `rows` KV rows among prompts and sequences as they come. */
export function createPromptCache(rows: number): PromptCache {
  const kvRows = createKvRows(rows, { prefixRows: rows, slots: 0, slotRows: 1 });
  let kept: CachedPrompt[] = [];
  let [clock, usedRows, sharedTokens] = [0, 0, 0];

  const evict = (): boolean => {
    const idle = kept.filter(({ users }) => users === 0).sort((a, b) => a.used - b.used)[0];
    if (!idle) return false;
    kept = kept.filter((one) => one !== idle);
    kvRows.releasePrefix(idle.start, idle.ids.length);
    return true;
  };
  /** The first of so many rows; prompts that nobody uses make room, the longest unused first. */
  const take = (length: number): number | null => {
    for (;;) {
      const start = kvRows.takePrefix(length);
      if (start !== null) return start;
      if (!evict()) return null;
    }
  };
  const nearest = (ids: readonly number[]): { entry: CachedPrompt; length: number } | null => {
    if (ids.length === 0) return null;
    let best: { entry: CachedPrompt; length: number } | null = null;
    for (const entry of kept) {
      const length = commonLength(entry.ids, ids);
      if (length > (best?.length ?? 0)) best = { entry, length };
    }
    return best && best.length >= Math.min(LEAST_SHARED, ids.length) ? best : null;
  };
  const hold = (entry: CachedPrompt) => {
    entry.users++;
    entry.used = clock++;
  };
  /** A new one, held. */
  const create = (ids: readonly number[], copied: CachedPrompt["copied"]): CachedPrompt | null => {
    const start = take(ids.length);
    if (start === null) return null;
    const entry: CachedPrompt = {
      ...{ job: 0, ids, start, unfinished: 1, filled: 0, copied, users: 1, used: clock++ },
      get prefilled() {
        return entry.filled === ids.length;
      },
    };
    if (copied) hold(copied.from);
    kept.push(entry);
    while (kept.length > MOST_KEPT && evict());
    return entry;
  };

  /** The prompt that a sequence shares, held for it, and how many tokens of it. */
  const prefixFor = (ids: readonly number[], isOne: boolean) => {
    const found = nearest(ids);
    if (found && (found.length === ids.length || (isOne && found.length * 2 >= ids.length))) {
      hold(found.entry);
      return { prefix: found.entry, prefixLen: found.length };
    }
    // Held meanwhile, lest it makes room for its copy.
    if (found) hold(found.entry);
    const made = newPrefix(ids, found && { from: found.entry, length: found.length });
    if (found) found.entry.users--;
    return made;
  };
  const newPrefix = (ids: readonly number[], copied: CachedPrompt["copied"]) => {
    const prefix = ids.length === 0 ? NO_PROMPT() : create(ids, copied);
    return prefix && { prefix, prefixLen: ids.length };
  };
  const placeAt = (
    prompt: readonly number[],
    newTokens: number,
    shared: { prefix: CachedPrompt; prefixLen: number } | null,
  ): Place | null => {
    if (!shared) return null;
    const { prefix, prefixLen } = shared;
    const length = prompt.length - prefixLen + newTokens + STRIDE;
    const start = take(length);
    if (start === null) {
      release(prefix);
      return null;
    }
    usedRows += length;
    const isNew = prefix.filled === 0 && prefix.users === 1;
    sharedTokens += isNew ? prefix.copied?.length ?? 0 : prefixLen;
    return { prefix, prefixLen, slot: { start, rows: length } };
  };
  /** One needs it less. Half a prompt that nobody goes on with is of no use. */
  const release = (entry: CachedPrompt) => {
    entry.users--;
    if (entry.users > 0 || entry.prefilled) return;
    if (entry.copied) entry.copied.from.users--;
    kept = kept.filter((one) => one !== entry);
    kvRows.releasePrefix(entry.start, entry.ids.length);
  };
  return {
    place(prompt, newTokens, isOne) {
      const ids = prompt.slice(0, -1);
      return placeAt(prompt, newTokens, prefixFor(ids, isOne)) ??
        // What it would share may leave too little room for it: with nobody there, it gets all.
        (usedRows === 0 ? placeAt(prompt, newTokens, newPrefix(ids, null)) : null);
    },
    leave({ prefix, slot }) {
      kvRows.releasePrefix(slot.start, slot.rows);
      usedRows -= slot.rows;
      release(prefix);
    },
    get usedRows() {
      return usedRows;
    },
    get sharedTokens() {
      return sharedTokens;
    },
  };
}

/** Of a prompt of one token, which is the sequence's own. */
const NO_PROMPT = (): CachedPrompt => ({
  ...{
    job: 0,
    ids: [],
    start: 0,
    unfinished: 1,
    prefilled: true,
    filled: 0,
    copied: null,
    users: 1,
    used: 0,
  },
});

function commonLength(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length++;
  return length;
}
