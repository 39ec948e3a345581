import { UserError } from "../../gpu/errors.ts";
import { mostTrainedRows } from "../../model/memory/cache_budget.ts";
import { dryThinking, FORCED_TOKENS } from "../../model/memory/generation_memory.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import type { Learners } from "../../rl/cluster/learners.ts";
import type { TrainingShape } from "../../rl/memory/training_shape.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import type { TrainValues } from "./train_settings.ts";

/** Rollouts of an update: more take minutes to be made ready for, and nobody has use for them. */
const MOST_ROLLOUTS = 2 ** 14;

/**
 * Refuses more rollouts than an update can be made ready for, before anything is made for them.
 * @throws UserError
 */
export function refuseTooMany({ questions, group }: Pick<TrainValues, "questions" | "group">): void {
  if (questions * group <= MOST_ROLLOUTS) return;
  throw new UserError(
    `Cannot train with ${questions} questions x ${group} rollouts an update: that is ${questions * group}, ` +
      `at most ${MOST_ROLLOUTS} are possible`,
    "lower --questions or --group, and take more --steps",
  );
}

/**
 * Refuses learners without a question of their own.
 * @throws UserError
 */
export function refuseTooFew(
  { questions }: Pick<TrainValues, "questions">,
  { size }: Pick<Learners, "size">,
): void {
  if (questions >= size) return;
  throw new UserError(
    `Cannot train with ${size} learners and ${questions} questions an update: each needs one at least`,
    "raise --questions, or start fewer learners",
  );
}

/**
 * Refuses rows of an update that are one tensor, which kernels bind as a whole, and more than a binding holds: those that go through it at once, and all
 * thoughts.
 * @param planned the lengths of its texts
 * @throws UserError
 */
export function refuseTooWide(
  maxBinding: number,
  config: ModelConfig,
  planned: Pick<TrainingShape, "promptTokens" | "forcedTokens">,
  values: TrainValues,
): void {
  const { thinking, questions, group, maxThinking, answerTokens, refill, microRows } = values;
  const { promptTokens, forcedTokens = FORCED_TOKENS } = planned;
  const most = mostTrainedRows(maxBinding, config);
  const all = questions * (1 + refill) * (promptTokens + group * (maxThinking + forcedTokens + answerTokens));
  if (Math.min(microRows, all) > most) {
    throw new UserError(
      `Cannot put ${Math.min(microRows, all)} tokens through an update at once: ` +
        `a binding of this device holds the layers' numbers of ${most}`,
      `--micro-rows ${most - most % 64}`,
    );
  }
  if (!dryThinking(thinking, values).continuous) return;
  const bytes = 4 * questions * (1 + refill) * group * maxThinking * config.hiddenSize;
  if (bytes <= maxBinding) return;
  throw new UserError(
    `Cannot keep the thoughts of an update for its backward pass: they take ${inBytes(bytes)}, ` +
      `one binding of this device holds ${inBytes(maxBinding)}`,
    "lower --questions, --group or --max-thinking",
  );
}
