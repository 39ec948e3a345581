import type { Scratch } from "../gpu/arena.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { sizeOf, type Tensor } from "../gpu/tensor.ts";
import type { RolloutBatch, RolloutGroup } from "./rollout_source.ts";
import type { Question } from "../eval/task.ts";
import { ALONE, shareOf } from "./cluster/learners.ts";
import { throwIfUndone, throwUndone, undoneBy, type UndoneUpdate } from "./undone_update.ts";
import { questionsOf, type Trainer } from "./trainer.ts";

/** The rollouts that this learner drew for an update. */
export interface DrawnRollouts extends RolloutBatch {
  /** Numbers that key the rollouts' draws, by their indices: alone they are these; of several learners none shares one with another. */
  ids: ArrayLike<number>;
}

/** Whether a group's rewards differ: else its advantages are all zero. */
export const hasSignal = ({ rollouts }: RolloutGroup): boolean =>
  rollouts.some(({ reward }) => reward !== rollouts[0].reward);

/**
 * The rollouts of an update, and as long as groups without a difference are among them, at most `refill` times, those of as many further
 * questions (dynamic sampling, arXiv 2503.14476); a question that is there already is passed over. All that was drawn is in the batch, so
 * that its means are of what the model does: groups without a difference add nothing to the update. The rows fed take memory for all.
 *
 * Of several learners each draws its share of each lot of questions, with the draws that one learner would give them.
 * @throws UndoneUpdate where it stopped before it had its share
 */
export async function drawRollouts(trainer: Trainer, step: number, scratch: Scratch): Promise<DrawnRollouts> {
  const { source, onPart, learners = ALONE, settings: { questions, group, refill = 0 } } = trainer;
  const batches: RolloutBatch[] = [];
  const ids: number[] = [];
  const drawn: Question[] = [];
  let undone: UndoneUpdate | undefined;
  const draw = async (lot: readonly Question[]) => {
    const { from, to } = shareOf(lot.length, learners);
    const first = (drawn.length + from) * group;
    const before = ids.length, total = before + (to - from) * group;
    const tell = (ended: number, tokens: number) =>
      onPart?.({ part: "rollouts", done: before + ended, total, tokens });
    tell(0, 0);
    try {
      if (to > from) batches.push(await source.rollouts(step, lot.slice(from, to), scratch, first, tell));
    } catch (error) {
      undone = undoneBy(error);
      if (!undone) throw error;
    }
    for (let i = 0; i < (to - from) * group; i++) ids.push(first + i);
    drawn.push(...lot);
  };
  await draw(questionsOf(trainer, step));
  for (let attempt = 1; attempt <= refill; attempt++) {
    const signals = batches.flatMap((batch) => batch.groups).filter(hasSignal).length;
    const all = await learners.gather({ signals, undone: undone?.plain });
    throwUndone(undone, all.map((one) => one.undone));
    const missing = questions - all.reduce((sum, one) => sum + one.signals, 0);
    if (missing <= 0) break;
    const there = new Set(drawn.map(({ id }) => id));
    const further = questionsOf(trainer, step, attempt).filter(({ id }) => !there.has(id)).slice(0, missing);
    if (further.length > 0) await draw(further);
  }
  // The others find out before they sum.
  if (undone) await throwIfUndone(learners, undone);
  return { ...batches.length === 1 ? batches[0] : joined(trainer, batches, scratch), ids };
}

/**
 * Lets workers begin with the rollouts of the updates to come whose weights are there, as far as the source has some that can: after `done`
 * updates those of the next one, and of as many more as rollouts may be old. What replaces questions is asked for once that is known.
 */
export async function beginRollouts(trainer: Trainer, done: number): Promise<void> {
  const { source, learners = ALONE, settings: { group, steps, staleness = 0 } } = trainer;
  if (staleness === 0) return;
  for (let step = done + 1; step <= Math.min(steps, done + 1 + staleness); step++) {
    const questions = questionsOf(trainer, step);
    const { from, to } = shareOf(questions.length, learners);
    if (to > from) await source.begin?.(step, questions.slice(from, to), from * group);
  }
}

/** Batches as one: the rollouts of each follow those before. */
function joined({ model }: Trainer, batches: readonly RolloutBatch[], scratch: Scratch): RolloutBatch {
  let first = 0;
  const groups = batches.flatMap((batch) => {
    const moved = batch.groups.map((group) => movedBy(first, group));
    first += batch.groups.reduce((sum, { rollouts }) => sum + rollouts.length, 0);
    return moved;
  });
  const total = (part: "generate" | "grade") => batches.reduce((sum, { seconds }) => sum + seconds[part], 0);
  return {
    groups,
    hidden: stacked(model.gpu, batches.map(({ hidden }) => hidden), scratch),
    seconds: { generate: total("generate"), grade: total("grade") },
  };
}

const movedBy = (first: number, group: RolloutGroup): RolloutGroup => ({
  ...group,
  rollouts: group.rollouts.map((graded) => ({
    ...graded,
    rollout: { ...graded.rollout, index: first + graded.rollout.index },
  })),
});

/** Tensors [rollouts, steps, d] one after the other. */
function stacked({ commands }: Gpu, parts: readonly Tensor[], scratch: Scratch): Tensor {
  const [rollouts, steps, d] = parts[0].shape;
  // Of hard thinking they are without meaning.
  if (rollouts === 1 && steps === 1) return parts[0];
  const out = scratch.f32(
    [parts.reduce((sum, { shape }) => sum + shape[0], 0), steps, d],
    "rows fed of all rollouts",
  );
  let at = 0;
  for (const part of parts) {
    commands.copy(part, 0, out, at, sizeOf(part.shape));
    at += sizeOf(part.shape);
  }
  return out;
}
