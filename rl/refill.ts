import type { Scratch } from "../gpu/arena.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { sizeOf, type Tensor } from "../gpu/tensor.ts";
import type { RolloutBatch, RolloutGroup } from "./rollout_source.ts";
import { questionsOf, type Trainer } from "./trainer.ts";

/** Whether a group's rewards differ: else its advantages are all zero. */
export const hasSignal = ({ rollouts }: RolloutGroup): boolean =>
  rollouts.some(({ reward }) => reward !== rollouts[0].reward);

/**
 * The rollouts of an update, and as long as groups without a difference are among them, at most `refill` times, those of as many further
 * questions (dynamic sampling, arXiv 2503.14476); a question that is there already is passed over. All that was drawn is in the batch, so
 * that its means are of what the model does: groups without a difference add nothing to the update. The rows fed take memory for all.
 */
export async function drawRollouts(trainer: Trainer, step: number, scratch: Scratch): Promise<RolloutBatch> {
  const { source, settings: { questions, group, refill = 0 } } = trainer;
  const batches = [await source.rollouts(step, questionsOf(trainer, step), scratch)];
  for (let attempt = 1; attempt <= refill; attempt++) {
    const groups = batches.flatMap((batch) => batch.groups);
    const missing = questions - groups.filter(hasSignal).length;
    if (missing <= 0) break;
    const there = new Set(groups.map(({ question }) => question.id));
    const further = questionsOf(trainer, step, attempt).filter(({ id }) => !there.has(id)).slice(0, missing);
    if (further.length === 0) continue;
    batches.push(await source.rollouts(step, further, scratch, groups.length * group));
  }
  return batches.length === 1 ? batches[0] : joined(trainer, batches, scratch);
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
