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
  const found = differencesIn(await learners.gather(facts));
  if (found.length === 0) return;
  throw new UserError(
    `Cannot train with ${learners.size} learners: they differ in ${
      found.join("; ")
    }; the same is needed on all`,
    "start the same softcot with the same flags, model and data on devices of one kind",
  );
}

/**
 * What is not the same on all learners: of each fact the first of them that has another than learner 0.
 * @param all the facts of each, in the order of their ranks
 */
export function differencesIn(all: readonly Readonly<Record<string, string>>[]): string[] {
  const names = new Set(all.flatMap((facts) => Object.keys(facts)));
  const told = (rank: number, name: string) => `${all[rank][name] ?? "nothing"} on learner ${rank}`;
  return [...names].flatMap((name) => {
    const rank = all.findIndex((other) => other[name] !== all[0][name]);
    return rank > 0 ? [`${name}: ${told(0, name)}, ${told(rank, name)}`] : [];
  });
}
