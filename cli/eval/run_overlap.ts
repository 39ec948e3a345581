import { trainingOverlap } from "../../eval/tasks/training_overlap.ts";
import { UserError } from "../../gpu/errors.ts";
import { ownTaskOf, runValues } from "../defaults/run_values.ts";

/** What a model's run was trained on, and how many of the questions that are asked now it saw. */
export interface RunOverlap {
  /** The task it was trained on. */
  task: string;
  /** Its data, where they were named. */
  data?: string;
  /** Questions of this evaluation that are among them; null where it cannot be told. */
  questions: number | null;
}

/**
 * Whether a run was trained on the questions that are to be asked.
 *
 * @param model as given to --model, or --adapter: a run's folder or one of its checkpoints
 * @param named tasks of the command line: own ones of a run are opened only where they are among these
 * @returns null if it is no run's
 */
export async function runOverlap(
  model: string,
  questions: readonly string[],
  named: readonly string[],
): Promise<RunOverlap | null> {
  const { data, ...run } = runValues(model);
  const own = ownTaskOf(model);
  const task = own ?? run.task;
  if (typeof task !== "string") return null;
  if (own !== undefined && !named.includes(own)) return { task: own, questions: null };
  const trained = { task, ...(typeof data === "string" ? { data } : {}) };
  try {
    return { ...trained, questions: (await trainingOverlap(trained, questions))?.questions ?? null };
  } catch (error) {
    // The data, or the task's own file, are no longer what they were.
    if (error instanceof UserError) return { ...trained, questions: null };
    throw error;
  }
}
