import { trainingOverlap } from "../../eval/tasks/training_overlap.ts";
import { UserError } from "../../gpu/errors.ts";
import { runValues } from "../defaults/run_values.ts";

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
 * @returns null if it is no run's
 */
export async function runOverlap(model: string, questions: readonly string[]): Promise<RunOverlap | null> {
  const { task, data } = runValues(model);
  if (typeof task !== "string") return null;
  const trained = { task, ...(typeof data === "string" ? { data } : {}) };
  try {
    return { ...trained, questions: (await trainingOverlap(trained, questions))?.questions ?? null };
  } catch (error) {
    // The data, or the task's own file, are no longer what they were.
    if (error instanceof UserError) return { ...trained, questions: null };
    throw error;
  }
}
