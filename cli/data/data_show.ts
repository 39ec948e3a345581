import { dirname } from "node:path";
import type { ChoiceTask } from "../../eval/choices/choice_task.ts";
import type { Stream, Task } from "../../eval/task.ts";
import { taskEntry } from "../../eval/tasks/open_task.ts";
import { splitsOf, withSplit } from "../../eval/tasks/refuse_empty.ts";
import { overlapsWith, setsAtHand } from "../../eval/tasks/sets_at_hand.ts";
import type { TaskEntry } from "../../eval/tasks/task_entry.ts";
import { sha256OfText } from "../../model/files/sha256_of.ts";
import { defineCommand } from "../settings/define_command.ts";
import { flags, ownCodeFlags } from "../settings/flags.ts";
import { choice, integer } from "../settings/setting.ts";
import { describeData, type ShownData, type ShownQuestion } from "./describe_data.ts";

const settings = {
  data: flags.data,
  split: choice(["test", "validation", "train"], "Which questions", {
    default: "test",
    defaultText: "test; train where the task has no test",
  }),
  limit: integer("Questions to show, from the first", { default: 3, min: 0 }),
  seed: flags.seed,
  ...ownCodeFlags,
};

/** `softcot data show`: what a task asks. */
export const dataShowCommand = defineCommand({
  description: `Show what a task asks: its questions with their answers, and a prompt as the model gets it.

Told too are the rows that are left out, and why; and the questions that the set has in common with other sets at hand: \
those that were pulled, and those that lie beside --data in folders of their names. Questions are compared without case, \
white space, punctuation and $ \\ { }.`,
  arguments: [["<name:string:task>", "the task, or the path of one of your own"]],
  settings,
  examples: [
    ["The first questions of GSM8K", "softcot data show gsm8k"],
    ["A folder's copy of AIME, and what it shares with others", "softcot data show aime --data ../data/aime"],
    ["A task of your own", "softcot data show ./mytask.toml --limit 10"],
  ],
  async run({ data, split: wanted, limit, seed }, { args: [name], origins, print }) {
    const entry = await taskEntry(name);
    const opened = await entry.open({ data, split: wanted, seed });
    const split = origins.split === "default" ? splitsOf(opened)[0] : wanted;
    const task = withSplit(opened, split, (splits) => `choose with --split ${splits.join(" or ")}`);
    const shown: ShownData = {
      ...{ name: task.name, version: task.version, kind: task.kind, about: entry.about },
      ...{ hub: entry.source?.hub ?? null, licence: entry.source?.licence ?? null },
      ...{
        origin: task.data?.origin ?? null,
        rows: task.data?.rows ?? {},
        dropped: task.data?.dropped ?? {},
      },
      questions: { train: task.size("train"), validation: task.size("validation"), test: task.size("test") },
      ...(task.kind === "generation" ? await generationFacts(task) : { mostShots: task.mostShots }),
      ...await overlaps(entry, data),
      split,
      shown: await firstQuestions(task, split, seed, limit),
    };
    print(shown, () => describeData(shown));
  },
});

async function generationFacts({ limits, checking, heldOut, prompt }: Task): Promise<Partial<ShownData>> {
  return {
    limits,
    checking: checking?.options ?? {},
    heldOut: heldOut?.length ?? 0,
    promptHash: sha256OfText(await prompt("QUESTION")),
  };
}

async function overlaps(
  entry: TaskEntry,
  data?: string,
): Promise<Pick<ShownData, "overlaps" | "comparedWith">> {
  const texts = await entry.texts?.({ data });
  if (!texts) return { overlaps: [], comparedWith: [] };
  const sets = (await setsAtHand(data === undefined ? [] : [data, dirname(data), dirname(dirname(data))]))
    .filter(({ name }) => name !== entry.name);
  return { overlaps: overlapsWith(entry.name, texts, sets), comparedWith: sets.map(({ name }) => name) };
}

function firstQuestions(
  task: Task | ChoiceTask,
  split: Stream,
  seed: number,
  limit: number,
): Promise<ShownQuestion[]> {
  const count = Math.min(limit, task.size(split) ?? limit);
  return Promise.all(Array.from({ length: count }, async (_, index) => {
    if (task.kind === "generation") {
      const question = task.question(split, seed, index);
      return { ...question, prompt: await task.prompt(question.question) };
    }
    const { context, choices, right, ...question } = task.question(split, index, 0);
    return { ...question, question: context, choices, gold: choices[right], prompt: context };
  }));
}
