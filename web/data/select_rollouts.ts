import type { RolloutLine, RolloutQuery } from "./view_data.ts";

/** What a rollout is chosen by, its texts and its question apart. */
export type Choosable = Pick<
  RolloutLine,
  "step" | "mode" | "group" | "sample" | "reward" | "equal" | "refilled" | "correct" | "rule" | "end"
>;

/** Lines of a list where a query asks for no number, and at most. */
const [USUAL_LINES, MOST_LINES] = [100, 1000];

/** How many lines a query is answered with at most. */
export const limitOf = ({ limit = USUAL_LINES }: RolloutQuery): number =>
  Math.max(1, Math.min(MOST_LINES, Math.floor(limit)));

/** Whether a rollout is asked for; `question`, `text` and `nearest` are for the caller to look at. */
export function isAskedFor(one: Choosable, query: RolloutQuery): boolean {
  return (query.step === undefined || one.step === query.step) &&
    (query.mode === undefined || one.mode === query.mode) &&
    (query.end === undefined || one.end === query.end) &&
    (query.rule === undefined || one.rule === query.rule) &&
    (query.correct === undefined || one.correct === query.correct) &&
    (query.equal === undefined || one.equal === query.equal) &&
    (query.refilled === undefined || one.refilled === query.refilled) &&
    (query.sample === undefined || one.sample === query.sample) &&
    (query.rewardFrom === undefined || one.reward >= query.rewardFrom) &&
    (query.rewardTo === undefined || one.reward <= query.rewardTo) &&
    (query.group === undefined || one.group === query.group);
}

/** The step among those that are there which is nearest to the one that is asked for: the earlier of two. */
export function nearestStep(steps: readonly number[], asked: number): number | undefined {
  let best: number | undefined;
  for (const step of steps) {
    if (best === undefined || Math.abs(step - asked) < Math.abs(best - asked)) best = step;
  }
  return best;
}
