import { UserError } from "../../gpu/errors.ts";
import type { Task } from "../task.ts";
import { aime } from "./aime.ts";
import { arcChallenge } from "./arc_challenge.ts";
import { deepscaler } from "./deepscaler.ts";
import { gsm8k } from "./gsm8k.ts";
import { hellaswag } from "./hellaswag.ts";
import { math, math500 } from "./math.ts";
import { mmlu } from "./mmlu.ts";
import { olympiadbench } from "./olympiadbench.ts";
import { owners } from "./owners.ts";
import { sums, sumsSlips } from "./sums.ts";
import type { GenerationEntry, OpenTaskOptions, TaskEntry } from "./task_entry.ts";

/** Every task that has a name of its own on the command line. */
export const TASKS: readonly TaskEntry[] = [
  embedded(sums, "Sums in words, made without end; the embedded model learns them in minutes"),
  embedded(sumsSlips, "Longer sums; some of the demonstrations slip"),
  owners,
  gsm8k,
  math,
  math500,
  olympiadbench,
  deepscaler,
  aime,
  arcChallenge,
  hellaswag,
  mmlu,
];

/** A task whose questions are made up. */
function embedded(task: Task, about: string): GenerationEntry {
  const { kind, name, version, limits, prompt } = task;
  const demonstrates = task.demonstration !== undefined;
  const open = ({ data }: OpenTaskOptions) => {
    if (data === undefined) return Promise.resolve(task);
    return Promise.reject(
      new UserError(
        `Cannot read data for the task ${name}: its questions are made up`,
        "leave --data out, or name another task",
      ),
    );
  };
  return { kind, name, version, about, limits, prompt, demonstrates, open };
}
