/** What people are to know of a comparison besides its numbers: what is left out of it, and why. */
export interface Notes {
  /** Adds a sentence, once. */
  add(text: string): void;
  /** Names a run that is left out. */
  leaveOut(folder: string, why: string): void;
  /** All of it; the runs of one reason stand together. */
  list(): string[];
}

/** Notes that begin with those that were taken before. */
export function createNotes(before: readonly string[] = []): Notes {
  const texts = new Set(before);
  const leftOut = new Map<string, Set<string>>();
  return {
    add: (text) => void texts.add(text),
    leaveOut(folder, why) {
      leftOut.set(why, (leftOut.get(why) ?? new Set()).add(folder));
    },
    list: () => [
      ...texts,
      ...[...leftOut].map(([why, folders]) => `left out, ${why}: ${[...folders].join(", ")}`),
    ],
  };
}
