import { UserError } from "../../gpu/errors.ts";
import type { ChoiceQuestion, ChoiceTask } from "../choices/choice_task.ts";
import { type DataSource, locateData } from "../data/data_source.ts";
import { questionIds } from "../data/question_ids.ts";
import type { Row } from "../data/row.ts";
import { RowError } from "../data/row_fields.ts";
import { mapSplits, readSplit } from "./read_split.ts";
import { refuseEmpty } from "./refuse_empty.ts";
import type { ChoiceEntry } from "./task_entry.ts";

/** A row as a choice task understands it. */
export interface ChoiceItem {
  /** What is asked, as the prompt has it. */
  question: string;
  choices: string[];
  /** From 0. */
  right: number;
  subject?: string;
}

/** A choice task whose questions are rows of files: data, and two functions. */
interface ChoiceDataSpec {
  name: string;
  version: number;
  about: string;
  /** Where the rows are: splits named after the streams, and `dev` for the examples. */
  source: DataSource;
  /** Columns of CSV files, which have no header. */
  columns?: readonly string[];
  /** Reads a row, in the hub's form or another; throws {@linkcode RowError} where it is in none. */
  read(row: Row, file: string): ChoiceItem | { drop: string };
  /** The text before the answer, and the answers as they follow it. */
  prompt(item: ChoiceItem, examples: readonly ChoiceItem[]): Pick<ChoiceQuestion, "context" | "choices">;
  /** The category of each subject; questions are then asked one of each subject in turn, so that every limit is fair. */
  categories?: Readonly<Record<string, string>>;
}

/** The entry of a choice task whose questions are rows of files. */
export function choiceDataTask(spec: ChoiceDataSpec): ChoiceEntry {
  const { name, version, about, source } = spec;
  return {
    kind: "choice",
    name,
    version,
    about,
    source,
    open: async (options) => {
      const found = locateData(name, source, options);
      const read: Record<string, ReadSplit> = {};
      for (const [split, files] of Object.entries(found.files)) read[split] = await readChoices(spec, files);
      const questions = Object.values(read).reduce((sum, { items }) => sum + items.length, 0);
      refuseEmpty(name, found.origin, read, questions);
      return openedTask(spec, found.origin, read);
    },
  };
}

function openedTask(spec: ChoiceDataSpec, origin: string, read: Record<string, ReadSplit>): ChoiceTask {
  const { name, version, categories } = spec;
  const streams = mapSplits(read, ({ items }) => withIds(name, categories ? inTurn(items) : items));
  const examples = Map.groupBy(read.dev?.items ?? [], ({ subject }) => subject);
  const subjects = new Set(Object.values(read).flatMap(({ items }) => items.map(({ subject }) => subject)));
  return {
    kind: "choice",
    name,
    version,
    mostShots: Math.min(...[...subjects].map((subject) => examples.get(subject)?.length ?? 0)),
    ...(categories ? { categories } : {}),
    data: {
      origin,
      rows: mapSplits(read, ({ rows }) => rows),
      dropped: mapSplits(read, ({ dropped }) => dropped),
    },
    size: (stream) => streams[stream]?.length ?? 0,
    question: (stream, index, shots) => {
      const item = streams[stream]?.[index];
      if (!item) throw noQuestion(name, stream, index, streams[stream]?.length ?? 0);
      const { id, question, right, subject } = item;
      const prompt = spec.prompt(item, (examples.get(subject) ?? []).slice(0, shots));
      return { id, question, ...prompt, right, ...(subject === undefined ? {} : { subject }) };
    },
  };
}

function noQuestion(name: string, stream: string, index: number, size: number): UserError {
  return new UserError(
    `Cannot take question ${index + 1} of the ${stream} split of ${name}: it has ${size} here`,
  );
}

interface ReadSplit {
  items: ChoiceItem[];
  /** Rows in the files. */
  rows: number;
  /** How many were left out, by reason. */
  dropped: Record<string, number>;
}

async function readChoices(spec: ChoiceDataSpec, files: readonly string[]): Promise<ReadSplit> {
  const read = (row: Row, file: string) => {
    const item = spec.read(row, file);
    if ("drop" in item) return item;
    if (Number.isInteger(item.right) && item.right >= 0 && item.right < item.choices.length) return item;
    throw new RowError(`has no right answer among its ${item.choices.length} choices, one is needed`);
  };
  const { items, rows, dropped } = await readSplit({ name: spec.name, columns: spec.columns, read }, files);
  return { items, rows, dropped: Object.fromEntries(dropped) };
}

/** The first of each subject, then the second of each, and so on; subjects by name. */
function inTurn(items: readonly ChoiceItem[]): ChoiceItem[] {
  const bySubject = [...Map.groupBy(items, ({ subject }) => subject ?? "")].sort(([a], [b]) =>
    a < b ? -1 : 1
  );
  const longest = Math.max(0, ...bySubject.map(([, { length }]) => length));
  const rounds = Array.from({ length: longest }, (_, i) => bySubject.map(([, subject]) => subject[i]));
  return rounds.flat().filter((item) => item !== undefined);
}

/** Subject and answers belong to what tells a question from others. */
function withIds(name: string, items: readonly ChoiceItem[]): (ChoiceItem & { id: string })[] {
  const nextId = questionIds(name);
  return items.map((item) => ({
    ...item,
    id: nextId([item.subject ?? "", item.question, ...item.choices].join("\n")),
  }));
}
