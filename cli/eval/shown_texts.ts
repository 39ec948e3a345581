import type { RolloutRecord } from "../../eval/results/rollout_record.ts";

/** Generated texts that are to be shown: of each mode those of the first questions, whatever ended first. */
export interface ShownTexts {
  /** Takes every rollout, a known one too. */
  see(record: RolloutRecord): void;
  /** Questions with what was generated for them, mode by mode; empty where none is to be shown. */
  describe(): string;
}

/** Keeps so many texts of each mode, with all that is not shown left out. */
export function createShownTexts(most: number): ShownTexts {
  type Kept = Pick<RolloutRecord, "index" | "sample" | "question" | "gold" | "text" | "boxed" | "correct">;
  const kept = new Map<string, Kept[]>();
  const place = ({ index, sample }: Kept) => index * 2 ** 20 + sample;
  return {
    see({ mode, index, sample, question, gold, text, boxed, correct }) {
      if (most === 0) return;
      const texts = kept.get(mode) ?? kept.set(mode, []).get(mode)!;
      texts.push({ index, sample, question, gold, text, boxed, correct });
      texts.sort((a, b) => place(a) - place(b)).splice(most);
    },
    describe: () =>
      [...kept].flatMap(([mode, texts]) =>
        texts.map(({ index, sample, question, gold, text, boxed, correct }) => {
          const verdict = boxed === null
            ? `no answer, right is ${gold}`
            : correct
            ? "right"
            : `wrong, right is ${gold}`;
          const which = sample > 0 ? `${index + 1}, sample ${sample + 1}` : index + 1;
          return `${mode}, question ${which}: ${verdict}\n${indented(question)}\n${indented(text)}`;
        })
      ).join("\n\n"),
  };
}

const indented = (text: string): string => text.trim().replaceAll(/^/gm, "  ");
