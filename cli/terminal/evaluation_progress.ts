import type { EvaluationProgress } from "../../eval/evaluate_options.ts";
import { createProgress } from "./progress.ts";

/** Tells on stderr how far an evaluation in modes is. */
interface ShownEvaluation extends Disposable {
  /** Writes a line above the live one. */
  log(line: string): void;
  /** Shows the state that {@linkcode EvaluationProgress} tells. */
  update(progress: EvaluationProgress): void;
}

/**
 * Shows an evaluation's progress: rollouts that have ended, and the tokens of all, which rate and time left are made from,
 * since rollouts differ in length and end late.
 */
export function createEvaluationProgress(
  label: string,
  total: number | undefined,
  quiet: boolean,
): ShownEvaluation {
  const progress = createProgress({ label, total, counted: "rollouts", unit: "tokens", quiet });
  return {
    update({ mode, done, total, accuracy, ended, tokens, tokensLeft: { expected, most } }) {
      const right: Record<string, string> = accuracy === null
        ? {}
        : { right: `${accuracy.toFixed(3)} of ${ended}` };
      const work = { done: tokens, left: expected, atMost: expected === most };
      const now: Record<string, string | number> = tokens === 0 && done < total
        ? { now: "reading prompts", mode, ...right }
        : { mode, ...right, tokens };
      progress.update(done, now, work);
    },
    log: progress.log,
    [Symbol.dispose]: () => progress.done(),
  };
}
