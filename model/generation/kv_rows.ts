import { assert } from "../../gpu/assert.ts";

/**
 * Whose the rows of the KV cache are: prefixes' first, lent in any length, then the slots', all equally long.
 */
export interface KvRows {
  /** Rows that are lent to prefixes: 0 to so many. */
  readonly prefixRows: number;
  /** The first of `length` free rows, which are taken for a prefix; null if no gap is long enough. */
  takePrefix(length: number): number | null;
  /** Gives rows back that {@link takePrefix} lent. */
  releasePrefix(start: number, length: number): void;
  /** Slots that no sequence has. */
  readonly freeSlots: number;
  /** A free slot, that which was released last. */
  takeSlot(): Slot;
  /** Gives a slot back that {@link takeSlot} lent. */
  releaseSlot(slot: Slot): void;
}

/** What a running sequence has for itself: KV rows for its own tokens, those after its prefix. */
export interface Slot {
  /** The first of its KV rows. */
  start: number;
  /** How many there are. */
  rows: number;
}

/**
 * Divides the rows of a cache.
 *
 * @param cacheRows that the cache has
 * @param shares rows for prefixes; slots, and the rows of each
 */
export function createKvRows(
  cacheRows: number,
  { prefixRows, slots, slotRows }: { prefixRows: number; slots: number; slotRows: number },
): KvRows {
  const end = prefixRows + slots * slotRows;
  assert(
    prefixRows >= 0 && slots >= 0 && slotRows > 0 && end <= cacheRows,
    () =>
      `Cannot divide a KV cache of ${cacheRows} rows: ${prefixRows} for prefixes and ${slots} slots of ${slotRows} are ` +
      `${end}, at most ${cacheRows} and none below 0 are needed`,
  );
  const prefixes = createGaps(prefixRows);
  // The next one last.
  const free = Array.from({ length: slots }, (_, i): Slot => ({
    start: prefixRows + (slots - 1 - i) * slotRows,
    rows: slotRows,
  }));
  return {
    prefixRows,
    takePrefix: prefixes.take,
    releasePrefix: prefixes.release,
    get freeSlots() {
      return free.length;
    },
    takeSlot() {
      assert(free.length > 0, () => `Cannot take a slot: all ${slots} are taken, a free one is needed`);
      return free.pop()!;
    },
    releaseSlot(slot) {
      assert(
        !free.includes(slot),
        () => `Cannot release the slot at KV row ${slot.start}: it is free, a taken one is needed`,
      );
      free.push(slot);
    },
  };
}

/** Lends rows 0 to `size` from the first gap that is long enough; gaps that meet grow together again. */
function createGaps(
  size: number,
): { take(length: number): number | null; release(start: number, length: number): void } {
  let gaps: { start: number; end: number }[] = [{ start: 0, end: size }];
  return {
    take(length) {
      assert(length > 0, () => `Cannot take ${length} KV rows: at least 1 is needed`);
      const gap = gaps.find(({ start, end }) => end - start >= length);
      if (!gap) return null;
      const { start } = gap;
      gap.start += length;
      return start;
    },
    release(start, length) {
      const end = start + length;
      assert(
        start >= 0 && end <= size && gaps.every((gap) => gap.end <= start || gap.start >= end),
        () =>
          `Cannot release KV rows ${start} to ${end}: some are free or past ${size}, taken ones are needed`,
      );
      const sorted = [...gaps, { start, end }].filter((gap) => gap.end > gap.start)
        .sort((a, b) => a.start - b.start);
      gaps = [];
      for (const gap of sorted) {
        const last = gaps.at(-1);
        if (last && last.end === gap.start) last.end = gap.end;
        else gaps.push(gap);
      }
    },
  };
}
