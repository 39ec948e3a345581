import { DataMissing } from "../data/data_source.ts";
import { countAmong } from "../data/overlap.ts";
import type { Task } from "../task.ts";
import { generationEntry } from "./open_task.ts";

/** What a run was trained on, as its settings say. */
export interface TrainedOn {
  /** The task, as on the command line. */
  task: string;
  /** Its data, where they were named. */
  data?: string;
}

/** Questions of an evaluation that the training data hold too. */
export interface TrainingOverlap {
  /** How many. */
  questions: number;
  /** Of how many. */
  of: number;
}

/**
 * How many questions that a run is to be measured by it was trained on, by normalised text. Those held out for validation
 * count too: they chose the checkpoint.
 *
 * @param questions texts of the questions of the evaluation
 * @returns null where it cannot be told: the training data are not at hand, or the task makes its questions up
 * @throws UserError if the training data are damaged
 */
export async function trainingOverlap(
  trained: TrainedOn,
  questions: readonly string[],
): Promise<TrainingOverlap | null> {
  const texts = await trainingTexts(trained);
  return texts && { questions: countAmong(questions, texts), of: questions.length };
}

async function trainingTexts({ task: name, data }: TrainedOn): Promise<string[] | null> {
  const { open } = await generationEntry(name);
  let task: Task;
  try {
    task = await open({ data, split: "train" });
  } catch (error) {
    if (error instanceof DataMissing) return null;
    throw error;
  }
  if (task.size("train") === null) return null;
  return (["train", "validation"] as const).flatMap((stream) =>
    Array.from({ length: task.size(stream) ?? 0 }, (_, i) => task.question(stream, 0, i).question)
  );
}
