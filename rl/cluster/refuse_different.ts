import { UserError } from "../../gpu/errors.ts";
import type { Learners } from "./learners.ts";

/**
 * Holds what must be the same on all learners against each other, before the first update.
 * @param facts by what they are called
 * @throws UserError on all of them, saying which differ in what
 */
export async function refuseDifferent(
  learners: Learners,
  facts: Readonly<Record<string, string>>,
): Promise<void> {
  if (learners.size === 1) return;
  const all = await learners.gather(facts);
  const found: string[] = [];
  for (const name of Object.keys(all[0])) {
    const rank = all.findIndex((other) => other[name] !== all[0][name]);
    if (rank > 0) found.push(`${name}: ${all[0][name]} on learner 0, ${all[rank][name]} on learner ${rank}`);
  }
  if (found.length === 0) return;
  throw new UserError(
    `Cannot train with ${learners.size} learners: they differ in ${
      found.join("; ")
    }; the same is needed on all`,
    "start the same softcot with the same flags, model and data on devices of one kind",
  );
}
