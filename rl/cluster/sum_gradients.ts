import { matricesOf, type Trainable } from "../../model/transformer/params.ts";
import type { Trainer } from "../trainer.ts";
import { ALONE } from "./learners.ts";

/** Makes a learner's gradient that of all of them: each has counted its own rollouts as so many of the whole batch. */
export async function sumGradients(
  { model: { gpu }, learners = ALONE }: Pick<Trainer, "model" | "learners">,
  grads: Trainable,
): Promise<void> {
  if (learners.size > 1) await learners.sum(gpu, matricesOf(grads).flatMap(({ chunks }) => chunks));
}
