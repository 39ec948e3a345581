import { parse, TomlError } from "smol-toml";
import * as z from "zod";
import { UserError } from "../../gpu/errors.ts";
import { lastBox } from "../answer/box.ts";
import { type DataSource, type FoundData, locateData } from "../data/data_source.ts";
import type { Row, RowValue } from "../data/row.ts";
import { RowError } from "../data/row_fields.ts";
import { paperPrompt, type Stream, type Task } from "../task.ts";
import { type DataTaskSpec, openDataTask, type Reading } from "./data_task.ts";
import { gradeByWords } from "./grade_by_words.ts";
import { type GenerationEntry, nameOf, TASK_NAME } from "./task_entry.ts";
import { readPlainText } from "../../model/files/plain_file.ts";

/** Where --data is given for such a task. */
const NAMED: DataSource = {
  hub: "",
  licence: "",
  splits: { train: ["train*"], validation: ["validation*", "val*", "dev*"], test: ["test*"] },
};

const text = z.string().min(1);
const files = z.union([text, z.array(text).min(1)], { error: "a path or a list of paths is needed" });
const tokens = z.int().min(1);

/** What a TOML file may say; the defaults stand in {@linkcode specOf}. */
const SCHEMA = z.strictObject({
  name: z.string().regex(TASK_NAME, "letters, digits, . _ and - are needed").optional(),
  version: z.int().min(1).optional(),
  about: text.optional(),
  hub: z.string().regex(/^[\w.-]+\/[\w.-]+$/, "a data set's name on the hub, org/name, is needed").optional(),
  licence: text.optional(),
  file: files.optional(),
  split: z.enum(["train", "validation", "test"]).optional(),
  files: z.strictObject({ train: files.optional(), validation: files.optional(), test: files.optional() })
    .optional(),
  columns: z.array(text).min(1).optional(),
  question: text.optional(),
  gold: text.optional(),
  "gold-after": text.optional(),
  "gold-box": z.boolean().optional(),
  solution: text.optional(),
  subject: text.optional(),
  grader: z.enum(["math", "words"]).optional(),
  percent: z.boolean().optional(),
  precision: z.union([z.int().min(0).max(20), text], {
    error: "a number of digits (0 to 20), or a tolerance as a text, is needed",
  }).optional(),
  instruction: text.optional(),
  "max-thinking": tokens.optional(),
  "max-thinking-eval": tokens.optional(),
  "answer-tokens": tokens.optional(),
});

type TaskFile = z.infer<typeof SCHEMA>;

/**
 * The task that a TOML file describes: the files with the rows, the fields of a row, the grader.
 *
 * @throws UserError if there is no such file or something in it is wrong
 */
export function loadTomlTask(path: string): GenerationEntry {
  const file = readToml(path);
  const spec = specOf(path, file);
  const { name, version, about, limits, prompt = paperPrompt, chatPrompt } = spec;
  const source = sourceOf(path, file);
  return {
    ...{ kind: "generation", name, version, about, limits, prompt, chatPrompt },
    ...(source ? { source } : {}),
    open: async (options) => {
      const { data, split } = options;
      const found = source
        ? locateData(name, source, options)
        : data === undefined
        ? ownFiles(path, file)
        : locateData(name, NAMED, { data, split });
      return await openDataTask(spec, found, options);
    },
  };
}

/** A data set of the hub, where the task names one; its files are then patterns of paths in it. */
function sourceOf(
  path: string,
  { hub, licence = "not told by the task", file, split = "test", files }: TaskFile,
): DataSource | undefined {
  if (hub === undefined) return undefined;
  const named = { ...files, ...(file === undefined ? {} : { [split]: file }) };
  const splits = Object.entries(named).map(([split, names]) => [split, [names].flat()]);
  if (splits.length > 0) return { hub, licence, splits: Object.fromEntries(splits), pulledAs: path };
  throw wrong(
    path,
    "no file of the data set is named, file or [files] is needed",
    'such as: file = "data/test-*.parquet"',
  );
}

function promptsBy(instruction: string): Pick<Task, "prompt" | "chatPrompt"> {
  const prompt = (question: string) => instruction.replaceAll("{question}", () => question);
  return { prompt, chatPrompt: prompt };
}

function specOf(path: string, file: TaskFile): Omit<DataTaskSpec, "source"> {
  const { name = nameOf(path), version = 1, about = `described by ${path}`, instruction, columns } = file;
  const { percent, precision, grader = "math" } = file;
  const thinking = file["max-thinking"] ?? 512;
  if (instruction !== undefined && !instruction.includes("{question}")) {
    throw wrong(path, "instruction has no {question}, the place of the question is needed");
  }
  if (grader === "words" && (percent !== undefined || precision !== undefined)) {
    throw wrong(path, "percent and precision belong to the grader math, words is given");
  }
  return {
    name,
    version,
    about,
    limits: {
      maxThinking: thinking,
      maxThinkingEval: file["max-thinking-eval"] ?? thinking,
      answerTokens: file["answer-tokens"] ?? 32,
    },
    ...(columns ? { columns } : {}),
    ...(instruction ? promptsBy(instruction) : {}),
    ...(grader === "words" ? { grade: gradeByWords } : {}),
    checking: {
      ...(percent === undefined ? {} : { percent }),
      ...(precision === undefined ? {} : { precision }),
    },
    read: (row) => readBy(file, row),
  };
}

function readBy(file: TaskFile, row: Row): Reading {
  const question = fieldText(row, file.question ?? "question").trim();
  const gold = goldOf(file, fieldText(row, file.gold ?? "answer")).trim();
  if (question === "") return { drop: "no question" };
  if (gold === "") return { drop: "no answer" };
  return {
    question,
    gold,
    ...(file.solution === undefined ? {} : { solution: fieldText(row, file.solution) }),
    ...(file.subject === undefined ? {} : { subject: fieldText(row, file.subject) }),
  };
}

function goldOf({ "gold-after": mark, "gold-box": box }: TaskFile, text: string): string {
  const at = mark === undefined ? 0 : text.lastIndexOf(mark);
  if (at < 0) return "";
  const rest = mark === undefined ? text : text.slice(at + mark.length);
  return box ? lastBox(rest) ?? "" : rest;
}

/** The text at a path such as `answer`, or `prompt.0.content` inside of lists and objects. */
function fieldText(row: Row, path: string): string {
  let value: RowValue | undefined = row;
  for (const part of Object.hasOwn(row, path) ? [path] : path.split(".")) {
    value = Array.isArray(value)
      ? value[Number(part)]
      : typeof value === "object" && value !== null && Object.hasOwn(value, part)
      ? value[part]
      : undefined;
  }
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (value === null) return "";
  throw new RowError(`has no text as ${path}`);
}

/**
 * The files with the rows of the task in a TOML file.
 *
 * @throws UserError if there is no such file or something in it is wrong
 */
export function taskFiles(path: string): string[] {
  const file = readToml(path);
  return file.hub === undefined ? Object.values(ownFiles(path, file).files).flat() : [];
}

/** The files that the task names, their paths taken from the folder of the task. */
function ownFiles(path: string, { file, split = "test", files = {} }: TaskFile): FoundData {
  const named = { ...files, ...(file === undefined ? {} : { [split]: file }) };
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/") + 1) : "";
  const found = Object.entries(named).map(([split, names]) => [
    split,
    [names].flat().map((name) => name.startsWith("/") ? name : folder + name),
  ]);
  if (found.length === 0) {
    throw wrong(path, "no file is named, file or [files] is needed", "or name the data with --data");
  }
  return {
    origin: path,
    files: Object.fromEntries(found) as Partial<Record<Stream, string[]>> as FoundData["files"],
  };
}

function readToml(path: string): TaskFile {
  let values: unknown;
  try {
    values = parse(readPlainText(path));
  } catch (error) {
    if (error instanceof TomlError) {
      const what = error.message.replace(/^Invalid TOML document: /, "").split("\n")[0];
      throw wrong(path, `line ${error.line}, column ${error.column}: ${what}`);
    }
    const why = error instanceof Deno.errors.NotFound ? "there is no such file" : (error as Error).message;
    throw new UserError(`Cannot read the task ${path}: ${why}`);
  }
  const result = SCHEMA.safeParse(values);
  if (result.success) {
    if (result.data.file !== undefined && result.data.files !== undefined) {
      throw wrong(path, "both file and [files] are given, one of them is needed");
    }
    return result.data;
  }
  const [issue] = result.error.issues;
  const key = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const known = key === "files" ? ["train", "validation", "test"] : Object.keys(SCHEMA.shape);
    throw wrong(path, `there is no setting ${issue.keys[0]}`, `the settings are ${known.join(", ")}`);
  }
  throw wrong(path, `${key}: ${issue.message.replace(/^Invalid input: /, "")}`);
}

function wrong(path: string, what: string, hint?: string): UserError {
  return new UserError(`Cannot use the task ${path}: ${what}`, hint);
}
