import type { VerifyOptions } from "../answer/verify.ts";
import { RowError } from "../data/fields.ts";
import { normalText } from "../data/normal_text.ts";
import { readRows, type Row } from "../data/rows.ts";
import { type DataSource, type FoundData, locateData } from "../data/source.ts";
import { hashText, seededUniform } from "../seeded.ts";
import { gradeBox, paperPrompt, type Question, type Stream, type Task, type TaskLimits } from "../task.ts";
import { UserError } from "../../gpu/errors.ts";
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
  /** Token limits. */
  limits: TaskLimits;
  /** The paper's prompt where it is left out. */
  prompt?: (question: string) => string;
}

/** Training questions that are held out for validation. */
export const VALIDATION_QUESTIONS = 256;

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
      const splits = Object.entries(await readSplits(spec, find(options)));
      return Object.fromEntries(
        splits.map(([split, { questions }]) => [split, questions.map(({ question }) => question)]),
      );
    },
  };
}

/**
 * Reads the questions of files that were found.
 *
 * @throws UserError if a file cannot be read, a row is in no known form, or the questions to hold out are not there
 */
export async function openDataTask(
  spec: DataTaskSpec,
  found: FoundData,
  options: OpenTaskOptions = {},
): Promise<Task> {
  const read = await readSplits(spec, found);
  const test = read.test?.questions ?? [];
  const own = read.validation?.questions;
  const kept = withoutKnown(read.train, [...test, ...own ?? []]);
  const { train, validation } = own ? { train: kept, validation: own } : holdOut(spec.name, kept, options);
  const streams: Record<Stream, Question[]> = { train, validation, test };
  const shuffled = shuffler(train.length);
  const { name, version, limits, prompt = paperPrompt, checking = {} } = spec;
  return {
    kind: "generation",
    name,
    version,
    limits,
    prompt,
    checking: { options: checking },
    grade: (gold, continuation, precision) => gradeBox(gold, continuation, { options: checking }, precision),
    size: (stream) => streams[stream].length,
    question: (stream, seed, index) => {
      const questions = streams[stream];
      const at = stream === "train" && questions.length > 0 ? shuffled(seed, index) : index;
      return questions[at] ?? refuse(name, stream, index, questions.length);
    },
    ...(own || !read.train ? {} : { heldOut: validation.map(({ id }) => id) }),
    data: {
      origin: found.origin,
      rows: Object.fromEntries(Object.entries(read).map(([split, { rows }]) => [split, rows])),
      dropped: Object.fromEntries(
        Object.entries(read).map(([split, { dropped }]) => [split, Object.fromEntries(dropped)]),
      ),
    },
  };
}

interface ReadSplit {
  questions: Question[];
  /** Rows in the files. */
  rows: number;
  /** By reason. */
  dropped: Map<string, number>;
}

const count = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);

async function readSplits(spec: DataTaskSpec, found: FoundData): Promise<Record<string, ReadSplit>> {
  const splits: Record<string, ReadSplit> = {};
  for (const [split, files] of Object.entries(found.files)) {
    const read: ReadSplit = { questions: [], rows: 0, dropped: new Map() };
    const ids = new Map<string, number>();
    for (const file of files) {
      const rows = await readRows(file);
      read.rows += rows.length;
      rows.forEach((row, index) => {
        const reading = readRow(spec, file, row, index);
        if ("drop" in reading) count(read.dropped, reading.drop);
        else read.questions.push({ id: idOf(spec.name, reading, ids), ...reading });
      });
    }
    splits[split] = read;
  }
  return splits;
}

function readRow(spec: DataTaskSpec, file: string, row: Row, index: number): Reading {
  try {
    return spec.read(row);
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    throw new UserError(
      `Cannot read ${spec.name} from ${file}: row ${index + 1} ${error.message}`,
      `its fields are ${Object.keys(row).join(", ") || "none"}`,
    );
  }
}

/** Follows from the text alone, whichever file it came from; the second of two equal questions gets a number. */
function idOf(name: string, { question }: Omit<Question, "id">, seen: Map<string, number>): string {
  const text = normalText(question);
  const hash = [text, `${text}#`].map((each) => hashText(each).toString(16).padStart(8, "0")).join("");
  const times = count(seen, hash).get(hash)!;
  return `${name}-${hash}${times > 1 ? `-${times}` : ""}`;
}

/** The training questions that are in no other split. */
function withoutKnown(train: ReadSplit | undefined, known: Question[]): Question[] {
  if (!train) return [];
  const texts = new Set(known.map(({ question }) => normalText(question)));
  return train.questions.filter(({ question }) => {
    const isKnown = texts.has(normalText(question));
    if (isKnown) count(train.dropped, "also in another split");
    return !isKnown;
  });
}

interface HeldOut {
  train: Question[];
  validation: Question[];
}

/** Parts the training questions by the seed, whatever their order in the files; repeats go with their first. */
function holdOut(
  name: string,
  questions: Question[],
  { seed = 0, validation: wanted = VALIDATION_QUESTIONS, heldOut }: OpenTaskOptions,
): HeldOut {
  const byText = new Map<string, Question>();
  for (const question of questions) {
    const text = normalText(question.question);
    if (!byText.has(text)) byText.set(text, question);
  }
  const distinct = [...byText.values()];
  const validation = heldOut
    ? named(name, distinct, heldOut)
    : ranked(distinct, seed).slice(0, Math.min(wanted, Math.floor(distinct.length / 2)));
  const texts = new Set(validation.map(({ question }) => normalText(question)));
  return { train: questions.filter(({ question }) => !texts.has(normalText(question))), validation };
}

function ranked(questions: Question[], seed: number): Question[] {
  const ranks = new Map(questions.map((one) => [one, seededUniform(seed, hashText(one.id), HOLD_OUT)()]));
  return questions.toSorted((a, b) => ranks.get(a)! - ranks.get(b)! || (a.id < b.id ? -1 : 1));
}

function named(name: string, questions: Question[], ids: readonly string[]): Question[] {
  const byId = new Map(questions.map((question) => [question.id, question]));
  const missing = ids.filter((id) => !byId.has(id));
  if (missing.length > 0) {
    throw new UserError(
      `Cannot hold out the run's validation questions of ${name}: ${missing.length} of ${ids.length} are not in these ` +
        "data, the data of the run are needed",
    );
  }
  return ids.map((id) => byId.get(id)!);
}

const HOLD_OUT = 0x484f;
const SHUFFLE = 0x5348;

/** The place in the data of the index-th question in training: another order in each pass, by the seed. */
function shuffler(size: number): (seed: number, index: number) => number {
  let kept: { seed: number; pass: number; order: Uint32Array } | undefined;
  return (seed, index) => {
    const pass = Math.floor(index / size);
    if (kept?.seed !== seed || kept.pass !== pass) {
      const uniform = seededUniform(seed, pass, SHUFFLE);
      const order = Uint32Array.from({ length: size }, (_, i) => i);
      for (let i = size - 1; i > 0; i--) {
        const j = Math.floor(uniform() * (i + 1));
        [order[i], order[j]] = [order[j], order[i]];
      }
      kept = { seed, pass, order };
    }
    return kept.order[index % size];
  };
}

function refuse(name: string, stream: Stream, index: number, size: number): never {
  const found = size === 0 ? "its data hold none" : `there are ${size}`;
  throw new UserError(
    `Cannot take question ${index + 1} of the ${stream} stream of ${name}: ${found}`,
    size === 0 ? "another split can be chosen with --split, other data with --data" : undefined,
  );
}
