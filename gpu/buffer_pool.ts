import type { Storage } from "./tensor.ts";

/** Buffers that are handed out by label and come back. */
interface BufferPool {
  /** A buffer of at least `size` bytes. */
  take(label: string, size: number): Storage;
  /** Takes one back; of several the one that comes last goes first. */
  giveBack(storage: Storage): void;
  /** Destroys the buffers that are not in use. */
  trim(): void;
}

// A buffer of another label serves where it is this much larger or smaller at most: else either would waste the other's.
const ALIKE = 2;

/** A buffer in use by another label than its own. */
interface Loan {
  from: string;
  to: string;
  /** What was asked for. */
  size: number;
}

/**
 * Makes a pool. Buffers belong to the label that they were made for and come back to its list, so that the same call finds the
 * same buffer again, whatever its length is this time; one that is too small is replaced by a larger one. Thus buffers, and the
 * bind groups that name them, settle once the longest work has been seen. A label without a buffer borrows one of another label,
 * and then always from that one: memory is shared by what is not in use together. Where it turns out that both are, the loan ends.
 */
export function createBufferPool(
  allocate: (size: number, label: string) => Storage,
  destroy: (storage: Storage) => void,
): BufferPool {
  const idle = new Map<string, Storage[]>();
  const owners = new Map<Storage, string>();
  const loans = new Map<Storage, Loan>();
  const lenders = new Map<string, string[]>();
  /** Labels that were in use together with one that borrowed from them, by that one. */
  const refused = new Map<string, Set<string>>();
  const doomed = new Set<Storage>();

  const make = (label: string, size: number): Storage => {
    const storage = allocate(size, label);
    owners.set(storage, label);
    return storage;
  };
  const end = (storage: Storage) => {
    owners.delete(storage);
    destroy(storage);
  };
  const takeFrom = (label: string, size: number): Storage | undefined => {
    const storage = idle.get(label)?.pop();
    if (!storage || storage.bytes >= size) return storage;
    end(storage);
    return make(label, size);
  };
  const borrow = (from: string, to: string, size: number): Storage | undefined => {
    const storage = takeFrom(from, size);
    if (storage) loans.set(storage, { from, to, size });
    return storage;
  };
  /** The label whose next buffer is the nearest in size: the smallest that is large enough, else the largest. */
  const nearest = (label: string, size: number): string | undefined => {
    let [found, least] = [undefined as string | undefined, Infinity];
    for (const [other, list] of idle) {
      const bytes = list.at(-1)?.bytes ?? 0;
      if (bytes < size / ALIKE || bytes > size * ALIKE || refused.get(label)?.has(other)) continue;
      const distance = bytes >= size ? bytes / size : ALIKE * size / bytes;
      if (distance < least) [found, least] = [other, distance];
    }
    return found;
  };
  /** A label finds its buffer lent out: the borrower keeps it if it suits, and does not borrow from this label again. */
  const endLoan = (label: string) => {
    for (const [storage, { from, to, size }] of loans) {
      if (from !== label) continue;
      refused.set(to, (refused.get(to) ?? new Set()).add(from));
      lenders.set(to, lenders.get(to)!.filter((lender) => lender !== from));
      if (storage.bytes <= ALIKE * size) owners.set(storage, to);
      else doomed.add(storage);
      loans.delete(storage);
      return;
    }
  };
  return {
    take(label, size) {
      const own = takeFrom(label, size);
      if (own) return own;
      endLoan(label);
      const known = lenders.get(label) ?? [];
      for (const from of known) {
        const storage = borrow(from, label, size);
        if (storage) return storage;
      }
      const lender = nearest(label, size);
      if (lender === undefined) return make(label, size);
      lenders.set(label, [...known, lender]);
      return borrow(lender, label, size)!;
    },
    giveBack(storage) {
      loans.delete(storage);
      if (doomed.delete(storage)) return end(storage);
      const owner = owners.get(storage)!;
      const list = idle.get(owner);
      list ? list.push(storage) : idle.set(owner, [storage]);
    },
    trim() {
      for (const storage of [...idle.values()].flat()) end(storage);
      idle.clear();
    },
  };
}
