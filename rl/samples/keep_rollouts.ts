import { idsOf, type KeptSteps, keptSteps, MOST_MIXED, piecesOf } from "../../eval/results/kept_steps.ts";
import { lookBack } from "../../model/generation/look_back.ts";
import { generatedText } from "../../model/generation/thinking_text.ts";
import type { ScoredGroup } from "../packed_batch.ts";
import { type DrawnRollouts, hasSignal } from "../refill.ts";
import { TASK_REWARD } from "../reward.ts";
import type { GradedRollout, RolloutBatch, RolloutGroup } from "../rollout_source.ts";
import type { Trainer } from "../trainer.ts";
import type { KeptRollout, ToldRollout } from "./kept_rollout.ts";

/** What is needed to tell of rollouts. */
type Teller = Pick<Trainer, "model" | "tokenizer" | "thinking" | "rules" | "settings" | "rewards">;

/** What was drawn, with the numbers of its rollouts where they are not their indices. */
type Drawn = RolloutBatch & Partial<DrawnRollouts>;

/** A group's place in the whole update. */
const numberOf = ({ ids }: Drawn, { rollouts: [{ rollout: { index } }, ...others] }: RolloutGroup): number =>
  Math.floor((ids?.[index] ?? index) / (1 + others.length));

/** Whole groups of an update, the first of it, and the seconds that it took to look at their steps. */
interface KeptGroups {
  rollouts: KeptRollout[];
  seconds: number;
}

/**
 * Keeps the first `settings.sampleGroups` groups of an update, of several learners each what it has of them. To be called before the weights move: the mixtures of their steps are made
 * once more, by a pass over these rollouts alone.
 * @param scored the batch's groups with their advantages
 */
export async function keepRollouts(
  trainer: Teller,
  step: number,
  batch: Drawn,
  scored: readonly ScoredGroup[],
): Promise<KeptGroups> {
  const started = performance.now();
  const { settings: { sampleGroups = 1 } } = trainer;
  const chosen = batch.groups.slice(0, sampleGroups).filter((group) => numberOf(batch, group) < sampleGroups);
  // All passes are with the device before the first is read.
  const fetches = chosen.map((group) => seeSteps(trainer, step, group, batch));
  const rollouts: KeptRollout[] = [];
  for (const [g, group] of chosen.entries()) {
    const seen = await fetches[g]();
    group.rollouts.forEach((graded, i) => {
      const told = tellRollout(trainer, { step, group: g, sample: i }, batch, scored);
      const { thinking, answer } = graded.rollout;
      const ids = [...thinking, ...answer, ...idsOf(seen[i].mixtures)];
      rollouts.push({ ...told, ...seen[i], pieces: piecesOf(trainer.tokenizer, ids) });
    });
  }
  return { rollouts, seconds: (performance.now() - started) / 1000 };
}

/** What the steps of each of a group's rollouts were made of. */
function seeSteps(
  { model, thinking, settings }: Teller,
  step: number,
  { prompt, rollouts }: RolloutGroup,
  { hidden, ids }: Drawn,
): () => Promise<Omit<KeptSteps, "pieces">[]> {
  if (!thinking.continuous) return () => Promise.resolve(rollouts.map(() => ({})));
  const passes = lookBack({
    ...{ model, thinking, prompt, hidden, step, width: MOST_MIXED },
    rollouts: rollouts.map(({ rollout: { index, thinking } }) => ({
      ...{ id: ids?.[index] ?? index, index, thinking },
    })),
    seed: settings.seed,
    mostRows: settings.microRows,
  });
  return async () => {
    const found: Omit<KeptSteps, "pieces">[] = [];
    for (const { count, fetch } of passes) {
      const seen = await fetch();
      let first = 0;
      for (const { rollout } of rollouts.slice(found.length, found.length + count)) {
        found.push(keptSteps(thinking, seen, first, rollout.thinking.length));
        first += rollout.thinking.length;
      }
    }
    return found;
  };
}

/** One rollout of an update, as it is kept and shown. */
export function tellRollout(
  trainer: Teller,
  { step, group: g, sample }: { step: number; group: number; sample: number },
  batch: Drawn,
  scored: readonly ScoredGroup[],
): ToldRollout {
  const { tokenizer, rules, thinking, settings, rewards = TASK_REWARD } = trainer;
  const group = batch.groups[g];
  const number = numberOf(batch, group);
  const { rollout, grade, reward, ...graded } = group.rollouts[sample];
  const { id, question, gold } = group.question;
  return {
    ...{
      version: 2,
      step,
      group: number,
      id,
      question,
      gold,
      sample,
      group_size: group.rollouts.length,
      reward,
    },
    ...(rewards.every(({ score }) => score === undefined) ? {} : { rewards: byName(rewards, graded) }),
    advantage: digits(scored[g].rollouts[sample].advantage),
    equal: !hasSignal(group),
    refilled: number >= settings.questions,
    ...{ correct: grade.correct, rule: grade.rule, boxed: grade.answer },
    ...{ way: thinking.name, tau: thinking.tau, continuous: thinking.continuous },
    thinking: generatedText(tokenizer, rollout.thinking, rules),
    thinking_end: rollout.thinkingEnd,
    forced: tokenizer.decode(rollout.forced, true),
    answer: generatedText(tokenizer, rollout.answer, rules),
    answer_end: rollout.answerEnd,
    thinking_tokens: rollout.thinking,
    answer_tokens: rollout.answer,
    thinking_log_probabilities: Array.from(rollout.thinkingStats.logp, digits),
    thinking_entropies: Array.from(rollout.thinkingStats.entropy, digits),
    answer_log_probabilities: Array.from(rollout.answerStats.logp, digits),
  };
}

const byName = (
  rewards: NonNullable<Trainer["rewards"]>,
  { rewards: found }: Pick<GradedRollout, "rewards">,
) => Object.fromEntries(rewards.map(({ name }, i) => [name, found[i]]));

/** Five digits; JSON has no infinities: a token of probability 0 keeps the smallest logarithm. */
const digits = (value: number): number => Number(Math.max(-3e38, Math.min(3e38, value)).toPrecision(5));
