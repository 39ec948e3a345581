import { UserError } from "../../gpu/errors.ts";
import { normalText } from "../data/normal_text.ts";
import { questionIds } from "../data/question_ids.ts";
import type { VerifyOptions } from "../answer/verify.ts";
import { paperPrompt, type Question, type Stream, type Task, type TaskLimits } from "../task.ts";
import { type ReadSplit, taskOf } from "./data_task.ts";
import { type GenerationEntry, nameOf, type OpenTaskOptions, TASK_NAME } from "./task_entry.ts";

const STREAMS: readonly string[] = ["train", "validation", "test"];

/** A question as a task file may give it: the id follows from the text where it is left out. */
export type GivenQuestion = Omit<Question, "id"> & { id?: string };

/** The questions of each split; part of train is held out for validation where that is left out. */
export type GivenQuestions = Partial<Record<Stream, readonly GivenQuestion[]>>;

/** What the default export of a task in TypeScript is. */
export interface ScriptTask {
  /** The file's name if it is left out. */
  name?: string;
  /** 1 if it is left out. */
  version?: number;
  /** One line about it. */
  about?: string;
  /** The text around a question; the paper's if it is left out. */
  prompt?: (question: string) => string;
  /** Those that are left out are 512 tokens of thinking and 32 of an answer. */
  limits?: Partial<TaskLimits>;
  /** The questions, or what gives them, told the path given to --data. */
  questions: GivenQuestions | ((options: OpenTaskOptions) => GivenQuestions | Promise<GivenQuestions>);
  /** How the answer checker is asked. */
  checking?: VerifyOptions;
  /** Grades without it. */
  grade?: Task["grade"];
}

/**
 * The task of a TypeScript or JavaScript file whose default export is a {@linkcode ScriptTask}.
 *
 * @throws UserError if the file cannot be loaded or its export is no such thing
 */
export async function loadScriptTask(path: string): Promise<GenerationEntry> {
  const task = checkedTask(path, await importDefault(path));
  const { name = nameOf(path), version = 1, about = `from ${path}`, prompt = paperPrompt } = task;
  const { questions, checking, grade } = task;
  // What is said of thinking holds in evaluation too, where nothing else is said of that.
  const maxThinkingEval = task.limits?.maxThinking ?? 512;
  const limits = { maxThinking: 512, maxThinkingEval, answerTokens: 32, ...task.limits };
  const facts = { name, version, prompt, limits };
  return {
    ...{ kind: "generation", about, ...facts },
    open: async (options) => {
      if (options.data !== undefined && typeof questions !== "function") {
        throw wrong(path, "it brings its own questions, --data cannot be used with it");
      }
      const given = typeof questions === "function"
        ? await called(path, () => questions(options))
        : questions;
      const read = readSplits(name, checkedQuestions(path, given));
      return taskOf({ ...facts, checking, grade }, read, options.data ?? path, options);
    },
  };
}

async function called(path: string, questions: () => unknown): Promise<unknown> {
  try {
    return await questions();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw wrong(path, `questions failed with ${JSON.stringify((error as Error)?.message ?? String(error))}`);
  }
}

function readSplits(name: string, questions: GivenQuestions): Record<string, ReadSplit> {
  return Object.fromEntries(
    Object.entries(questions).map(([split, given]) => {
      const nextId = questionIds(name);
      const read = given.map((one) => ({ ...one, id: one.id ?? nextId(one.question) }));
      return [split, { questions: read, rows: read.length, dropped: new Map<string, number>() }];
    }),
  );
}

async function importDefault(path: string): Promise<unknown> {
  try {
    const url = new URL("file:///");
    url.pathname = Deno.realPathSync(path).replaceAll("%", "%25").replaceAll("\\", "/");
    return (await import(url.href)).default;
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : (error as Error).message.split("\n")[0];
    throw new UserError(`Cannot load the task ${path}: ${why}`);
  }
}

function checkedTask(path: string, value: unknown): ScriptTask {
  if (typeof value !== "object" || value === null) {
    throw wrong(
      path,
      `its default export is ${
        value === undefined ? "missing" : `of type ${typeof value}`
      }, an object is needed`,
    );
  }
  const task = value as Partial<ScriptTask>;
  if (task.name !== undefined && !TASK_NAME.test(String(task.name))) {
    throw wrong(path, `its name is ${JSON.stringify(task.name)}: letters, digits, . _ and - are needed`);
  }
  if (task.questions === undefined) throw wrong(path, "its default export has no questions");
  for (const key of ["prompt", "grade"] as const) {
    if (task[key] !== undefined && typeof task[key] !== "function") {
      throw wrong(path, `its ${key} is of type ${typeof task[key]}, a function is needed`);
    }
  }
  return task as ScriptTask;
}

function checkedQuestions(path: string, value: unknown): GivenQuestions {
  if (typeof value !== "object" || value === null) {
    throw wrong(path, `its questions are of type ${typeof value}, arrays by split are needed`);
  }
  for (const [split, given] of Object.entries(value)) {
    if (!STREAMS.includes(split)) {
      throw wrong(path, `its questions have a split ${split}, one of ${STREAMS.join(", ")} is needed`);
    }
    if (!Array.isArray(given)) throw wrong(path, `its ${split} questions are no array, one is needed`);
    const bad = given.findIndex((one) => !isQuestion(one));
    if (bad >= 0) throw wrong(path, `question ${bad + 1} of ${split} lacks a text as question or gold`);
  }
  return value;
}

function isQuestion(value: unknown): value is GivenQuestion {
  const { question, gold } = (value ?? {}) as Record<string, unknown>;
  return typeof question === "string" && normalText(question) !== "" && typeof gold === "string" &&
    gold.trim() !== "";
}

const wrong = (path: string, what: string) => new UserError(`Cannot use the task ${path}: ${what}`, FORM);

const FORM =
  'a task is a file such as: export default { questions: { test: [{ question: "2 + 3?", gold: "5" }] } }';
