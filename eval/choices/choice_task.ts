import type { Stream, TaskData } from "../task.ts";

/** One question with the answers to choose from. */
export interface ChoiceQuestion {
  /** Equal for equal questions: results of different runs are paired by it. */
  id: string;
  /** What is asked, for readers. */
  question: string;
  /** The text before the answer: description, examples and question. */
  context: string;
  /** The answers; a blank parts each from the context. */
  choices: readonly string[];
  /** Which of `choices` is right, from 0. */
  right: number;
  /** What it is about, in tasks of many subjects. */
  subject?: string;
}

/**
 * A task whose answers are given: the model is not asked to write one, but how probable it finds each. Prompts are those of
 * lm-evaluation-harness. The version changes whenever a question or prompt does.
 */
export interface ChoiceTask {
  /** It is answered by choosing; a `Task` is not. */
  kind: "choice";
  /** As on the command line. */
  name: string;
  /** Kept with every result. */
  version: number;
  /** Questions in a stream; 0 if the task has no such stream. */
  size(stream: Stream): number;
  /** The question at `index` of a stream, with at most {@linkcode mostShots} examples before it. */
  question(stream: Stream, index: number, shots: number): ChoiceQuestion;
  /** Most examples with their answers that can stand before a question. */
  mostShots: number;
  /** The category of each subject, in tasks of many. */
  categories?: Readonly<Record<string, string>>;
  /** Where the questions were read from. */
  data?: TaskData;
}
