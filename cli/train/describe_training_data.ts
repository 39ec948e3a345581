import { LEAST_TO_HOLD_OUT } from "../../eval/data/hold_out.ts";
import { normalText } from "../../eval/data/normal_text.ts";
import type { Task } from "../../eval/task.ts";
import { counted } from "../terminal/counted.ts";

/** What a run's questions are, where they were read from files: how many to train on and to validate by, and how many say what another one does. */
export function describeTrainingData(task: Task): string[] {
  const size = task.size("train");
  if (!task.data || size === null) return [];
  const texts = new Set(
    Array.from({ length: size }, (_, i) => normalText(task.question("train", 0, i).question)),
  );
  const repeats = size - texts.size;
  const validation = task.size("validation") ?? 0;
  const held = task.heldOut === undefined
    ? `validation has ${validation} of its own`
    : validation > 0
    ? `${validation} more are held out for validation`
    : `none is held out for validation, for which ${LEAST_TO_HOLD_OUT} different ones are needed`;
  const repeated = repeats > 0 ? `, ${repeats} of them repeat another` : "";
  return [`data     ${counted(size, "training question")}${repeated}; ${held}`];
}
