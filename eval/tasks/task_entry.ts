import type { ChoiceTask } from "../choices/choice_task.ts";
import type { DataSource } from "../data/data_source.ts";
import type { Task, TaskLimits } from "../task.ts";

/** What a task may be called: names become parts of folders. */
export const TASK_NAME = /^[\w.-]+$/;

/** The name that a task file gives its task where it says none. */
export function nameOf(path: string): string {
  return path.split("/").at(-1)!.replace(/\.[^.]+$/, "").replace(/[^\w.-]+/g, "-");
}

/** How a task is opened. */
export interface OpenTaskOptions {
  /** A file or a folder with its data; the hub's cache where it is left out. */
  data?: string;
  /** The split that `data` holds, where it is a file whose name tells none. */
  split?: string;
  /** Branch, tag or commit of the data in the hub's cache. */
  revision?: string;
  /** Decides which training questions are held out for validation (default 0). */
  seed?: number;
  /** Training questions held out for validation (default 256); at most half of them. */
  validation?: number;
  /** Ids of the questions to hold out instead: those of a run that is gone on with. */
  heldOut?: readonly string[];
}

/** What is known of every task. */
export interface EntryFacts {
  /** As on the command line. */
  name: string;
  /** Changes whenever a question, prompt or grade does. */
  version: number;
  /** One line about it. */
  about: string;
  /** Where its data come from; absent where its questions are made up. */
  source?: DataSource;
  /** The text of every question by split, as the files have them, for telling what sets have in common. */
  texts?(options: Pick<OpenTaskOptions, "data" | "split" | "revision">): Promise<Record<string, string[]>>;
}

/** What is known of a task that is answered in text, before its data are read. */
export interface GenerationEntry extends EntryFacts {
  /** Answered in text. */
  kind: "generation";
  /** Defaults of the task. */
  limits: TaskLimits;
  /** As {@linkcode Task.prompt}. */
  prompt: Task["prompt"];
  /** As {@linkcode Task.chatPrompt}. */
  chatPrompt?: Task["chatPrompt"];
  /** Whether it writes demonstrations, as supervised training needs them. */
  demonstrates?: boolean;
  /** Reads its data. */
  open(options: OpenTaskOptions): Promise<Task>;
}

/** What is known of a task that is answered by choosing, before its data are read. */
export interface ChoiceEntry extends EntryFacts {
  /** Answered by choosing. */
  kind: "choice";
  /** Reads its data. */
  open(options: OpenTaskOptions): Promise<ChoiceTask>;
}

/** A task that can be named on the command line. */
export type TaskEntry = GenerationEntry | ChoiceEntry;
