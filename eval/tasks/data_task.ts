import { UserError } from "../../gpu/errors.ts";
import type { VerifyOptions } from "../answer/verify.ts";
import { type DataSource, type FoundData, locateData } from "../data/data_source.ts";
import { holdOut } from "../data/hold_out.ts";
import { normalText } from "../data/normal_text.ts";
import { questionIds } from "../data/question_ids.ts";
import type { Row } from "../data/row.ts";
import { trainingOrder } from "../data/training_order.ts";
import { gradeBox, paperPrompt, type Question, type Stream, type Task, type TaskLimits } from "../task.ts";
import { countDropped, mapSplits, readSplit } from "./read_split.ts";
import { refuseEmpty } from "./refuse_empty.ts";
import type { GenerationEntry, OpenTaskOptions } from "./task_entry.ts";

/** What a row holds: a question without its id, or the reason why it is left out. */
export type Reading = Omit<Question, "id"> | { drop: string };

/** A task answered in text whose questions are rows of files: data, and one function that reads a row. */
export interface DataTaskSpec {
  /** As on the command line. */
  name: string;
  /** Changes whenever a question, prompt or grade does. */
  version: number;
  /** One line about it. */
  about: string;
  /** Where the rows are; its splits are named after the streams. */
  source: DataSource;
  /** Reads a row, in the hub's form or another; throws {@linkcode RowError} where it is in none. */
  read(row: Row): Reading;
  /** How the answer checker is asked. */
  checking?: VerifyOptions;
  /** Grades without it. */
  grade?: Task["grade"];
  /** Names of the columns, where the files are CSV without a header. */
  columns?: readonly string[];
  /** Token limits. */
  limits: TaskLimits;
  /** The paper's prompt where it is left out. */
  prompt?: Task["prompt"];
  /** As {@linkcode Task.chatPrompt}. */
  chatPrompt?: Task["chatPrompt"];
}

/** The entry of a task whose questions are rows of files. */
export function dataTask(spec: DataTaskSpec): GenerationEntry {
  const { name, version, about, source, limits, prompt = paperPrompt } = spec;
  const find = (options: OpenTaskOptions) => locateData(name, source, options);
  return {
    kind: "generation",
    name,
    version,
    about,
    source,
    limits,
    prompt,
    open: async (options) => await openDataTask(spec, find(options), options),
    texts: async (options) => {
      const read = await readSplits(spec, find(options));
      return mapSplits(read, ({ questions }) => questions.map(({ question }) => question));
    },
  };
}

/**
 * Reads the questions of files that were found.
 *
 * @throws UserError if a file cannot be read, a row is in no known form, or the questions to hold out are not there
 */
export async function openDataTask(
  spec: Omit<DataTaskSpec, "source">,
  found: FoundData,
  options: OpenTaskOptions = {},
): Promise<Task> {
  return taskOf(spec, await readSplits(spec, found), found.origin, options);
}

/**
 * The task of questions that were read: parts training and validation, and puts the training questions into another order
 * for each pass by the seed.
 *
 * @param origin where they were read from
 * @throws UserError if there is no question at all
 */
export function taskOf(
  spec: Omit<DataTaskSpec, "source" | "read" | "about">,
  read: Record<string, ReadSplit>,
  origin: string,
  options: OpenTaskOptions,
): Task {
  const { name, version, limits, prompt = paperPrompt, chatPrompt, checking = {}, grade } = spec;
  const told = mapSplits(read, ({ rows, dropped }) => ({ rows, dropped: Object.fromEntries(dropped) }));
  const questions = Object.values(read).reduce((sum, split) => sum + split.questions.length, 0);
  refuseEmpty(name, origin, told, questions);
  const test = read.test?.questions ?? [];
  const own = read.validation?.questions;
  const kept = withoutKnown(read.train, [...test, ...own ?? []]);
  const { train, validation } = own ? { train: kept, validation: own } : holdOut(name, kept, options);
  const repeats = own ? 0 : kept.length - train.length - validation.length;
  if (repeats > 0) read.train.dropped.set("repeats of held-out questions", repeats);
  const streams: Record<Stream, Question[]> = { train, validation, test };
  const place = trainingOrder(train.length);
  return {
    kind: "generation",
    name,
    version,
    limits,
    prompt,
    ...(chatPrompt ? { chatPrompt } : {}),
    ...(grade ? { grade } : {
      checking: { options: checking },
      grade: (gold, continuation, precision) =>
        gradeBox(gold, continuation, { options: checking }, precision),
    }),
    size: (stream) => streams[stream].length,
    question: (stream, seed, index) => {
      const questions = streams[stream];
      const at = stream === "train" && questions.length > 0 ? place(seed, index) : index;
      return questions[at] ?? refuse(name, stream, index, questions.length);
    },
    ...(own || !read.train ? {} : { heldOut: validation.map(({ id }) => id) }),
    data: { origin, rows: mapSplits(read, ({ rows }) => rows), dropped: droppedOf(read) },
  };
}

const droppedOf = (read: Record<string, ReadSplit>) =>
  mapSplits(read, ({ dropped }) => Object.fromEntries(dropped));

/** What was read of a split. */
export interface ReadSplit {
  /** In the order of the files. */
  questions: Question[];
  /** Rows in the files. */
  rows: number;
  /** Those left out, by reason. */
  dropped: Map<string, number>;
}

/** Reads all rows of files that were found. */
async function readSplits(
  spec: Pick<DataTaskSpec, "name" | "columns" | "read">,
  found: FoundData,
): Promise<Record<string, ReadSplit>> {
  const splits: Record<string, ReadSplit> = {};
  for (const [split, files] of Object.entries(found.files)) {
    const { items, rows, dropped } = await readSplit(spec, files);
    const nextId = questionIds(spec.name);
    const questions = items.map((item) => ({ id: nextId(item.question), ...item }));
    splits[split] = { questions, rows, dropped };
  }
  return splits;
}

/** The training questions that are in no other split. */
function withoutKnown(train: ReadSplit | undefined, known: Question[]): Question[] {
  if (!train) return [];
  const texts = new Set(known.map(({ question }) => normalText(question)));
  return train.questions.filter(({ question }) => {
    const isKnown = texts.has(normalText(question));
    if (isKnown) countDropped(train.dropped, "also in another split");
    return !isKnown;
  });
}

function refuse(name: string, stream: Stream, index: number, size: number): never {
  const found = size === 0 ? "its data hold none" : `there are ${size}`;
  throw new UserError(`Cannot take question ${index + 1} of the ${stream} stream of ${name}: ${found}`);
}
