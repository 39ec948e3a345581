import { normalText } from "./normal_text.ts";

/** Questions that two splits have in common. */
export interface Overlap {
  /** A split of the first set. */
  split: string;
  /** Name of the other set. */
  other: string;
  /** A split of the other. */
  otherSplit: string;
  /** Different questions that are in both, by normalised text. */
  questions: number;
}

/** The texts of a set's splits. */
export type SplitTexts = Readonly<Record<string, readonly string[]>>;

/**
 * What each split of a set has in common with each of another; pairs without anything in common are left out.
 *
 * @param other name of the second set
 */
export function overlapsOf(texts: SplitTexts, other: string, otherTexts: SplitTexts): Overlap[] {
  const [ours, theirs] = [texts, otherTexts].map((sets) =>
    Object.entries(sets).map(([split, all]) => [split, normalSet(all)] as const)
  );
  return ours.flatMap(([split, set]) =>
    theirs.flatMap(([otherSplit, others]) => {
      const questions = [...set].filter((text) => others.has(text)).length;
      return questions > 0 ? [{ split, other, otherSplit, questions }] : [];
    })
  );
}

/** How many of some questions are among others, by normalised text; a question that is asked twice counts twice. */
export function countAmong(questions: readonly string[], others: readonly string[]): number {
  const set = normalSet(others);
  return questions.filter((text) => set.has(normalText(text))).length;
}

function normalSet(texts: readonly string[]): Set<string> {
  return new Set(texts.map(normalText));
}
