import { mergedRows } from "../../eval/measures/entropy_profile.ts";
import type { ModeResult } from "../../eval/measures/mode_result.ts";
import { type Estimate, greedyAccuracy, pairedChange } from "../../eval/measures/pass_at_k.ts";
import type { MeasuredChoices, MeasuredMode } from "../../web/data/view_data.ts";
import { crossedMean } from "../compare/crossed.ts";
import type { ChoiceMeasured } from "../compare/read_measured.ts";

/** Where something was measured. */
export type Where = Pick<MeasuredMode, "line" | "of" | "step" | "when">;

/** Ranges of positions that entropy is told by. */
const RANGES = 64;

/**
 * A mode's result as a table shows it. Files of old, or of others, may lack what is not looked at elsewhere.
 * @param before the same mode's result before the training, where there is one
 */
export function modeOf(
  { task, result }: { task: string; result: ModeResult },
  where: Where,
  before?: ModeResult,
): MeasuredMode {
  const [first] = result.passAt;
  return {
    ...where,
    task,
    mode: result.mode,
    samples: result.samples,
    accuracy: result.accuracy ?? first,
    rise: before ? riseOf(before, result) : null,
    passAt: result.passAt,
    extracted: result.extracted ?? { ...first, value: NaN },
    reward: result.reward ?? NaN,
    thinkingLength: result.thinkingLength,
    ended: result.ended ?? {},
    entropy: result.entropy,
    entropyByPosition: mergedRows(
      Array.isArray(result.entropyByPosition) ? result.entropyByPosition : [],
      RANGES,
    ),
    tokensPerSecond: result.tokensPerSecond ?? NaN,
    partial: false,
  };
}

/** Null where other questions were asked, or one alone. */
function riseOf(before: ModeResult, after: ModeResult): Estimate | null {
  const [first, last] = [before, after].map(({ questions }) =>
    questions.toSorted((a, b) => a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
  const isAlike = first.length === last.length && first.every(({ id }, i) => id === last[i].id);
  if (!isAlike || first.length < 2) return null;
  const [from, to] = [first, last].map((one) => one.map(({ correct, samples }) => correct / samples));
  return pairedChange(from, to);
}

/** A task of choices as a table shows it. */
export function choicesOf({ task, answers }: ChoiceMeasured, { line, of, step }: Where): MeasuredChoices {
  const nll = crossedMean([answers.map((one) => one.nll)]);
  const estimate: Estimate = {
    value: nll.value,
    standardError: nll.standardError ?? 0,
    questions: answers.length,
  };
  return {
    ...{ line, of, step, task },
    accuracy: greedyAccuracy(answers.map(({ correct }) => correct)),
    nll: estimate,
  };
}
