import { UserError } from "../../gpu/errors.ts";
import { dryThinking } from "../../model/memory/generation_memory.ts";
import type { Learners } from "../../rl/cluster/learners.ts";
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
 * Refuses thoughts whose rows, which are one tensor that kernels bind as a whole, are more than a binding holds.
 * @throws UserError
 */
export function refuseTooWide(maxBinding: number, hiddenSize: number, values: TrainValues): void {
  const { thinking, questions, group, maxThinking, refill } = values;
  if (!dryThinking(thinking, values).continuous) return;
  const bytes = 4 * questions * (1 + refill) * group * maxThinking * hiddenSize;
  if (bytes <= maxBinding) return;
  throw new UserError(
    `Cannot keep the thoughts of an update for its backward pass: they take ${inBytes(bytes)}, ` +
      `one binding of this device holds ${inBytes(maxBinding)}`,
    "lower --questions, --group or --max-thinking",
  );
}
