import { UserError } from "../../gpu/errors.ts";
import { boxedContinuation } from "../answer/box.ts";
import { inspectValue } from "../own_code/inspect_value.ts";
import { importOwnCode, OwnCodeError } from "../own_code/own_code.ts";
import { normalText } from "../data/normal_text.ts";
import { questionIds } from "../data/question_ids.ts";
import type { VerifyOptions } from "../answer/verify.ts";
import { type Grade, paperPrompt, type Question, type Stream, type Task, type TaskLimits } from "../task.ts";
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
  /** The text around a question, also in a conversation; the paper's if it is left out. */
  prompt?: (question: string) => string | Promise<string>;
  /** Those that are left out are 512 tokens of thinking and 32 of an answer. */
  limits?: Partial<TaskLimits>;
  /** The questions, or what gives them, told the path given to --data. */
  questions: GivenQuestions | ((options: OpenTaskOptions) => GivenQuestions | Promise<GivenQuestions>);
  /** How the answer checker is asked. */
  checking?: VerifyOptions;
  /** Grades without it. An answer that is left out is what the box holds, a rule none. */
  grade?: (...asked: Parameters<Task["grade"]>) => GivenGrade | Promise<GivenGrade>;
}

/** A grade as a task file may give it: any finite number is a reward, 100 being that of a right answer. */
export type GivenGrade = { correct: boolean; reward: number } & Partial<Pick<Grade, "answer" | "rule">>;

/**
 * The task of a TypeScript or JavaScript file whose default export is a {@linkcode ScriptTask}. The file runs in a process of its own, see
 * {@linkcode importOwnCode}.
 *
 * @param data a path that it may read
 * @throws UserError if the file cannot be loaded or its export is no such thing; when it is opened, if its functions give no such thing
 */
export async function loadScriptTask(path: string, data?: string): Promise<GenerationEntry> {
  const task = checkedTask(path, await importDefault(path, data));
  const { name = nameOf(path), version = 1, about = `from ${path}`, questions, checking } = task;
  const own = task.prompt && checkedPrompt(path, task.prompt);
  const grade = task.grade && checkedGrade(path, task.grade);
  // What is said of thinking holds in evaluation too, where nothing else is said of that.
  const maxThinkingEval = task.limits?.maxThinking ?? 512;
  const limits = { maxThinking: 512, maxThinkingEval, answerTokens: 32, ...task.limits };
  const facts = { name, version, prompt: own ?? paperPrompt, chatPrompt: own, limits };
  return {
    ...{ kind: "generation", about, ...facts },
    open: async (options) => {
      if (options.data !== undefined && typeof questions !== "function") {
        throw wrong(path, "it brings its own questions, --data cannot be used with it");
      }
      const given = typeof questions === "function"
        ? await called(path, "questions", () => questions(options))
        : questions;
      const read = readSplits(name, checkedQuestions(path, given));
      const opened = taskOf({ ...facts, checking, grade }, read, options.data ?? path, options);
      await tryOut(opened, read);
      return opened;
    },
  };
}

/** What a function of the file gives. */
async function called(path: string, what: string, call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof OwnCodeError)) throw error;
    throw wrong(path, error.message.replace(/^it /, `its ${what} `), error.hint);
  }
}

/** Asks prompt and grade once, so that what they do wrong is known before anything takes time. */
async function tryOut(task: Task, read: Record<string, ReadSplit>): Promise<void> {
  const [{ question, gold, precision }] = Object.values(read).flatMap(({ questions }) =>
    questions.slice(0, 1)
  );
  await task.prompt(question);
  await task.grade(gold, `${gold}}`, precision);
}

function checkedPrompt(path: string, prompt: NonNullable<ScriptTask["prompt"]>): Task["prompt"] {
  return async (question) => {
    const text = await called(path, "prompt", () => prompt(question));
    if (typeof text === "string") return text;
    throw wrong(path, `its prompt gave ${inspectValue(text)}, a text is needed`);
  };
}

function checkedGrade(path: string, grade: NonNullable<ScriptTask["grade"]>): Task["grade"] {
  return async (gold, continuation, precision) => {
    const given = await called(path, "grade", () => grade(gold, continuation, precision));
    const { correct, reward, answer = boxedContinuation(continuation), rule = null } = (given ?? {}) as Grade;
    const isText = (value: unknown) => value === null || typeof value === "string";
    if (
      typeof correct === "boolean" && Number.isFinite(reward) && isText(answer) && isText(rule)
    ) return { correct, reward, answer, rule };
    throw wrong(
      path,
      `its grade gave ${
        inspectValue(given)
      }, { correct: boolean, reward: a finite number } is needed, with answer and rule being texts or null`,
    );
  };
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

const PARTS = ["name", "version", "about", "prompt", "limits", "questions", "checking", "grade"] as const;

async function importDefault(path: string, data?: string): Promise<unknown> {
  try {
    const grants = data === undefined ? [] : [{ kind: "read", value: data } as const];
    return await importOwnCode(path, PARTS, { grants });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new UserError(`Cannot load the task ${path}: there is no such file`);
    }
    if (!(error instanceof OwnCodeError)) throw error;
    throw new UserError(`Cannot load the task ${path}: ${error.message}`, error.hint);
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

const wrong = (path: string, what: string, hint = FORM) =>
  new UserError(`Cannot use the task ${path}: ${what}`, hint);

const FORM =
  'a task is a file such as: export default { questions: { test: [{ question: "2 + 3?", gold: "5" }] } }';
