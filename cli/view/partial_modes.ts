import { basename } from "node:path";
import { greedyAccuracy, passAtKOver, type QuestionResult, usualKs } from "../../eval/measures/pass_at_k.ts";
import { ALL_MODES, isGreedy } from "../../eval/modes.ts";
import type { MeasuredMode } from "../../web/data/view_data.ts";
import { choosable, rolloutRows } from "./index/rollout_rows.ts";
import type { Where } from "./measured_of.ts";
import type { OpenPlace, RolloutFile } from "./open_place.ts";

/** What the modes of an evaluation come to by now, which has not ended: of the questions that have answers. */
export function partialModes(place: OpenPlace, where: Where): MeasuredMode[] {
  return place.rollouts.flatMap((file) => {
    const name = basename(file.index.path, ".jsonl");
    const mode = ALL_MODES.find((one) => name.endsWith(`-${one}`));
    return mode === undefined || file.index.lines === 0
      ? []
      : [{ ...partial(place, file, isGreedy(mode)), ...where, task: name.slice(0, -mode.length - 1), mode }];
  });
}

type Partial = Omit<MeasuredMode, keyof Where | "task" | "mode">;

function partial(place: OpenPlace, { index, names }: RolloutFile, greedy: boolean): Partial {
  const questions = new Map<string, QuestionResult>();
  const ended: Record<string, number> = {};
  let [rollouts, reward] = [0, 0];
  const way = place.way();
  for (const { lines, body } of index.blocks()) {
    const rows = rolloutRows(body(), lines);
    for (let i = 0; rows && i < lines; i++) {
      const one = choosable(rows, i, names, way);
      const known = questions.get(one.group) ?? { correct: 0, samples: 0 };
      questions.set(one.group, {
        correct: known.correct + (one.correct ? 1 : 0),
        samples: known.samples + 1,
      });
      ended[one.end] = (ended[one.end] ?? 0) + 1;
      reward += one.reward;
      rollouts++;
    }
  }
  const results = [...questions.values()];
  const samples = results.reduce((most, one) => Math.max(most, one.samples), 1);
  const at = (k: number) => passAtKOver(results.filter((one) => one.samples >= k), k);
  const accuracy = greedy ? greedyAccuracy(results.map(({ correct }) => correct > 0)) : at(1);
  return {
    ...{ samples, accuracy, rise: null },
    passAt: (greedy ? [1] : usualKs(samples)).map((k) => ({ k, ...(k === 1 ? accuracy : at(k)) })),
    extracted: { value: NaN, standardError: NaN, questions: results.length },
    ...{ reward: reward / rollouts, thinkingLength: NaN, entropy: null, entropyByPosition: [] },
    ended: Object.fromEntries(Object.entries(ended).map(([end, count]) => [end, count / rollouts])),
    ...{ tokensPerSecond: NaN, partial: true },
  };
}
