import type { ChoiceQuestion, ChoiceTask } from "./choice_task.ts";
import { type Estimate, greedyAccuracy } from "../measures/pass_at_k.ts";

/** One question with its scores, as it is written to a file. */
export interface ChoiceRecord {
  /** Its place in the stream. */
  index: number;
  /** Of the question. */
  id: string;
  /** What the question is about, in tasks of many subjects. */
  subject?: string;
  /** What is asked. */
  question: string;
  /** Text of the right choice. */
  gold: string;
  /** Text of the choice with the largest sum. */
  answer: string;
  /** The right choice, from 0. */
  right: number;
  /** The choice with the largest sum; the first of equal ones. */
  pick: number;
  /** The choice with the largest sum by characters; the first of equal ones. */
  pickNormed: number;
  /** Whether `pick` is right. */
  correct: boolean;
  /** Whether `pickNormed` is right. */
  correctNormed: boolean;
  /** -ln p by token of the right choice, in nats. */
  nll: number;
  /** Sum of ln p over the tokens of each choice. */
  sums: number[];
  /** Tokens of each choice. */
  tokens: number[];
  /** Characters (Unicode code points) of each choice. */
  characters: number[];
  /** Choices whose context was cut from the left. */
  truncated: number;
  /** Rows that went through the model for it. */
  rows: number;
}

/** What a set of questions came to. */
export interface ChoiceMeasures {
  /** How many. */
  questions: number;
  /** Share of questions whose right choice has the largest sum of ln p: `acc` of lm-evaluation-harness. */
  accuracy: Estimate;
  /** The same of the sum by characters of the choice: `acc_norm`. */
  accuracyNormed: Estimate;
  /** -ln p by token of the right choice in nats, averaged over questions. */
  nll: Estimate;
}

/** A subject or category, by name. */
export interface NamedMeasures extends ChoiceMeasures {
  /** As the data have it, such as `high_school_physics`. */
  name: string;
}

/** What a choice task came to; over all questions alike (micro), in tasks of many subjects also over subjects (macro). */
export interface ChoiceResult extends ChoiceMeasures {
  /** By subject, in tasks of many. */
  subjects?: NamedMeasures[];
  /** By category, all questions of a category alike. */
  categories?: NamedMeasures[];
  /** Means over subjects, each counting once. */
  macro?: ChoiceMeasures;
  /** Choices whose context was cut from the left to fit into the model's. */
  truncated: number;
  /** Questions that were left out since they are too long for it; absent where there are none. */
  skipped?: number;
  /** Rows that went through the model, for questions known before too. */
  rows: number;
  /** Time of this process: of what was not known before. */
  seconds: number;
  /** Question by question. */
  records: ChoiceRecord[];
}

/** Judges a question by the log-probabilities of its choices' tokens. */
export function judgeChoices(
  index: number,
  { id, subject, question, choices, right }: ChoiceQuestion,
  logps: readonly ArrayLike<number>[],
  { truncated, rows }: Pick<ChoiceRecord, "truncated" | "rows">,
): ChoiceRecord {
  const sums = logps.map((logp) => Array.from(logp).reduce((sum, value) => sum + value, 0));
  const characters = choices.map((choice) => [...choice].length);
  const pick = largest(sums);
  const pickNormed = largest(sums.map((sum, i) => sum / characters[i]));
  return {
    index,
    id,
    ...(subject === undefined ? {} : { subject }),
    question,
    gold: choices[right],
    answer: choices[pick],
    right,
    pick,
    pickNormed,
    correct: pick === right,
    correctNormed: pickNormed === right,
    nll: -sums[right] / logps[right].length,
    sums,
    tokens: logps.map(({ length }) => length),
    characters,
    truncated,
    rows,
  };
}

/** The measures of a task from its questions; at least one. */
export function tallyChoices(
  { categories }: Pick<ChoiceTask, "categories">,
  records: readonly ChoiceRecord[],
): Omit<ChoiceResult, "seconds" | "records"> {
  const total = (of: (record: ChoiceRecord) => number) =>
    records.reduce((sum, record) => sum + of(record), 0);
  const all = {
    ...measure(records),
    truncated: total(({ truncated }) => truncated),
    rows: total(({ rows }) => rows),
  };
  if (records.every(({ subject }) => subject === undefined)) return all;
  const subjects = grouped(records, ({ subject }) => subject);
  return {
    ...all,
    subjects,
    ...(categories ? { categories: grouped(records, ({ subject }) => categories[subject ?? ""]) } : {}),
    macro: {
      questions: records.length,
      accuracy: meanOf(subjects.map(({ accuracy }) => accuracy)),
      accuracyNormed: meanOf(subjects.map(({ accuracyNormed }) => accuracyNormed)),
      nll: meanOf(subjects.map(({ nll }) => nll)),
    },
  };
}

function largest(values: readonly number[]): number {
  return values.reduce((best, value, i) => value > values[best] ? i : best, 0);
}

function measure(records: readonly ChoiceRecord[]): ChoiceMeasures {
  return {
    questions: records.length,
    accuracy: greedyAccuracy(records.map(({ correct }) => correct)),
    accuracyNormed: greedyAccuracy(records.map(({ correctNormed }) => correctNormed)),
    nll: sampleMean(records.map(({ nll }) => nll)),
  };
}

function grouped(
  records: readonly ChoiceRecord[],
  nameOf: (record: ChoiceRecord) => string | undefined,
): NamedMeasures[] {
  const groups = Map.groupBy(records, (record) => nameOf(record) ?? "other");
  const names = [...groups.keys()].sort();
  return names.map((name) => ({ name, ...measure(groups.get(name)!) }));
}

/** A mean with the standard error of a sample; a single value tells nothing of its error, NaN. */
function sampleMean(values: readonly number[]): Estimate {
  const questions = values.length;
  const value = values.reduce((sum, one) => sum + one, 0) / questions;
  const squares = values.reduce((sum, one) => sum + (one - value) ** 2, 0);
  return { value, standardError: Math.sqrt(squares / (questions - 1) / questions), questions };
}

/** The mean of independent estimates. */
function meanOf(estimates: readonly Estimate[]): Estimate {
  const count = estimates.length;
  const sum = (of: (estimate: Estimate) => number) => estimates.reduce((total, one) => total + of(one), 0);
  return {
    value: sum(({ value }) => value) / count,
    standardError: Math.sqrt(sum(({ standardError }) => standardError ** 2)) / count,
    questions: sum(({ questions }) => questions),
  };
}
