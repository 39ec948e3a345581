import type { Learners } from "../../rl/cluster/learners.ts";

/**
 * What the first learner alone does, the others waiting for it; undefined for these.
 * @throws DOMException AbortError on all of them where that one was stopped
 */
export async function firstAlone<T>(learners: Learners, work: () => Promise<T>): Promise<T | undefined> {
  let found: T | undefined;
  let stop: unknown;
  try {
    if (learners.rank === 0) found = await work();
  } catch (error) {
    if ((error as Error).name !== "AbortError") throw error;
    stop = error;
  }
  const [isStopped] = await learners.gather(stop !== undefined);
  if (isStopped) throw stop ?? new DOMException("The first learner was stopped", "AbortError");
  return found;
}
