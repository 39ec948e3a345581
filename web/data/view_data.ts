/**
 * What the page shows, and where it gets it from: the same answers come from `softcot view` over HTTP ({@link httpSource}) and out of a
 * report's own text ({@link embeddedSource}).
 *
 * @module
 */
import type { EntropyRow } from "../../eval/measures/entropy_profile.ts";
import type { Estimate } from "../../eval/measures/pass_at_k.ts";
import type { Comparison } from "../../cli/compare/comparison.ts";
import type { Verdicts } from "../../cli/sweep/claims/claims.ts";
import type { ProfileReport } from "../../cli/train/profile_report.ts";

/** What lies in the folders that were given. */
export interface Overview {
  /** Of these answers: 1. */
  version: number;
  /** Runs, evaluations and sweeps; a sweep's runs come after it. */
  places: Place[];
  /** What is not as it should be, in words: damaged files, folders without rights, an index in memory alone. */
  notes: string[];
}

/** How far something has come: stopped is without a process at work on it, and with fewer steps than asked for. */
export type State = "running" | "ended" | "stopped" | "failed";

/** A run, an evaluation, or a sweep. */
export interface Place {
  /** Path from the given folder on, its name first: unique, and the same as long as the same folders are given. */
  id: string;
  kind: "run" | "evaluation" | "sweep";
  /** The last part of its path. */
  name: string;
  /** The sweep that it is part of, by its id. */
  sweep: string | null;
  /** The sweep's line: runs that differ in their seed alone. */
  line: string | null;
  /** config.toml of a run, settings.json of an evaluation, by their own keys (`max-thinking`, `model_name`). */
  settings: Record<string, unknown>;
  state: State;
  /** Why it failed, in the sweep's words. */
  failure: string | null;
  /** Updates of a run, rollouts of an evaluation, ended jobs of a sweep. */
  steps: number;
  ofSteps: number | null;
  /** Of the newest write, in ms since 1970. */
  updated: number;
  /** The last line of metrics.jsonl, flat: `reward`, `time.step`, ... */
  last: Record<string, number>;
  /** The last validation's greedy accuracy by its update. */
  best: { step: number; accuracy: number } | null;
  /** Rollouts that are kept. */
  rollouts: number;
  /** Share of its files that is indexed, 0 to 1; below 1 all numbers are of what is indexed by now. */
  indexed: number;
  has: {
    /** Rollouts with what their soft steps mixed. */
    mixtures: boolean;
    /** Something for {@link Tables}. */
    tests: boolean;
    profile: boolean;
    claims: boolean;
  };
}

/** Which lines of the metrics are asked for. */
export interface MetricsQuery {
  /** Columns, one ending with a dot for all that begin with it; all if left out. */
  keys?: readonly string[];
  /** First line, from 0. */
  from?: number;
  /** First line after them; to the end if left out. */
  to?: number;
  /** At most so many points a column, 2,000 if left out. */
  points?: number;
}

/** One column of numbers by line; null where a line lacks it. */
export type Columns = Record<string, (number | null)[]>;

/**
 * Metrics in columns of equal length. Keys of inner records have a dot: `time.step`. Three are made here: `line`, the place of the (last)
 * line, `total.tokens` and `total.seconds`, sums since the first update.
 */
export interface Metrics {
  id: string;
  from: number;
  /** First line after those that were looked at. */
  to: number;
  /** All lines that there are by now. */
  lines: number;
  /** Names of all columns that the run has, in the order of their first appearance. */
  keys: string[];
  columns: Columns;
  /**
   * Where there were more lines than points: a point is the mean of so many lines (of `step`, `line` and totals: the last), and these are
   * the least and the most of them, so that no peak is lost.
   */
  sampled: { each: number; low: Columns; high: Columns } | null;
  /** Lines that cannot be read. */
  skipped: number;
}

/** Which rollouts are asked for; what is left out does not matter. */
export interface RolloutQuery {
  /** The update; `nearest` takes the kept one that is nearest to it. */
  step?: number;
  nearest?: boolean;
  /** Id of the question, as `RolloutLine.question` has it. */
  question?: string;
  /** As `RolloutLine.group` has it. */
  group?: string;
  /** Which of its group's or question's. */
  sample?: number;
  mode?: string;
  end?: string;
  rule?: string;
  correct?: boolean;
  equal?: boolean;
  refilled?: boolean;
  /** Of rewards, both ends within. */
  rewardFrom?: number;
  rewardTo?: number;
  /** In question, thinking or answer, small and capital letters alike. */
  text?: string;
  /** First come first, or last. */
  order?: "first" | "last";
  /** From here on, as an earlier answer's `next` said. */
  after?: number;
  /** Matches to leave out before the first line, where no text is looked for: a windowed list begins anywhere. */
  skip?: number;
  /** Lines at most: 100 if left out, 1,000 at most. */
  limit?: number;
}

/** Rollouts that were asked for, in the order of their files. */
export interface RolloutList {
  lines: RolloutLine[];
  /** How many there are in all; null where a text was looked for and not everything has been read yet. */
  total: number | null;
  /** Where to go on (`after`); null at the end. A search in texts may stop early with no line: go on with it. */
  next: number | null;
  /** Rollouts whose text was read. */
  scanned: number;
  /** Lines of the place's files that cannot be read. */
  skipped: number;
}

/** A rollout in a list: no texts but the beginnings of question and answer. */
export interface RolloutLine {
  /** Its number within the place, which finds it again. */
  place: number;
  /** The update it was made for; null in an evaluation. */
  step: number | null;
  /** An evaluation's mode; in training the way of thinking. */
  mode: string;
  /** The question's id, the same in every run and mode that saw it. */
  question: string;
  /** Rollouts whose rewards are compared have the same one, unique within the place; empty in runs of old, which kept none. */
  group: string;
  /** Which of its group's or question's, from 0. */
  sample: number;
  reward: number;
  advantage: number | null;
  /** Its group had no difference: nothing was learned from it. */
  equal: boolean;
  /** Its question was drawn since another's group had no difference. */
  refilled: boolean;
  correct: boolean;
  /** The checker's rule that decided. */
  rule: string | null;
  /** What ended the thinking: `trigger`, `end-token`, `limit`. */
  end: string;
  /** Of thinking and answer. */
  tokens: number;
  /** Mean of the thinking's steps, in nats. */
  entropy: number | null;
  /** The question's first 120 characters. */
  head: string;
  /** What the box holds, in a list its first 120 characters; null if nothing can be extracted. */
  boxed: string | null;
}

/** A rollout in full. */
export interface RolloutView extends RolloutLine {
  /** The place that it is in. */
  id: string;
  questionText: string;
  gold: string;
  /** What the model was given, where it is kept. */
  prompt: string | null;
  thought: Step[];
  /** Between thinking and answer; with the trigger where it was not seen. */
  forced: string;
  answer: Step[];
  /** What ended the answer: `brace`, `end-token`, `limit`; null in runs of old. */
  answerEnd: string | null;
  /** Whether thoughts are mixtures, and their tokens shadows. */
  continuous: boolean;
  /** The way of thinking. */
  way: string;
  /** Whether steps have tokens of their own; in records of old each text is one step. */
  tokenized: boolean;
}

/** One step: the token (or shadow), and what was mixed. */
export interface Step {
  /** Its id; -1 where it is not kept. */
  token: number;
  text: string;
  logp: number | null;
  entropy: number | null;
  /** By weight, largest first; what is left out is 1 - the sum. Null where nothing was mixed, or kept. */
  mixture: Weighed[] | null;
  /** Norm of the noise over its expected norm. */
  noise: number | null;
  /** As the record has it: `-ln p` of the action, by dimension where it is a row. */
  surprise: number | null;
}

/** A token of a mixture. */
export interface Weighed {
  token: number;
  text: string;
  weight: number;
  /** Its probability under the step's softmax(z / tau), where that is not its weight; else null. */
  probability: number | null;
}

/** What the rollouts of a place can be filtered by, with how many there are of each. */
export interface Facets {
  rollouts: number;
  /** Updates with rollouts, in ascending order: ranges of [first, last, every]; see {@link stepsOf}. */
  steps: [number, number, number][];
  modes: Count[];
  ends: Count[];
  rules: Count[];
  rewards: { value: number; rollouts: number }[];
  /** Different questions. */
  questions: number;
  /** The questions with most rollouts, with their first 120 characters; 200 at most. */
  often: { question: string; head: string; rollouts: number }[];
}

/** A name with how many rollouts have it. */
export interface Count {
  name: string;
  rollouts: number;
}

/** Rollouts of one question in a place. */
export interface Sighting {
  /** Of the place. */
  id: string;
  rollouts: number;
  /** Updates, as in {@link Facets}; empty in an evaluation. */
  steps: [number, number, number][];
  modes: string[];
}

/** What was measured of a place: of a run and a sweep on the way, too. */
export interface Tables {
  id: string;
  /** Earliest first, tasks and modes in their order. */
  measured: MeasuredMode[];
  choices: MeasuredChoices[];
  /** Lines of a sweep side by side, at their ends; null of a single run. */
  comparison: Comparison | null;
  /** Of a sweep that has them. */
  claims: Verdicts | null;
  /** What could not be read, in words. */
  notes: string[];
}

/** One mode on one task after so many updates. */
export interface MeasuredMode {
  /** The line of a sweep, or the run's name. */
  line: string;
  /** The place that it was measured in. */
  of: string;
  /** Updates by then; null of a model whose run is not known. */
  step: number | null;
  /** Where in the run; `evaluation` is a folder of results, whose model need not be of a run that is shown. */
  when: "before" | "checkpoint" | "best" | "after" | "evaluation";
  task: string;
  mode: string;
  samples: number;
  accuracy: Estimate;
  /** What accuracy rose by since before the training, question by question; null where the same questions were not asked then. */
  rise: Estimate | null;
  /** k = 1, 2, 4, ...; one in greedy modes. */
  passAt: (Estimate & { k: number })[];
  extracted: Estimate;
  reward: number;
  thinkingLength: number;
  /** Shares by what ended the thinking. */
  ended: Record<string, number>;
  /** Nats, over thinking steps; null if there were none. */
  entropy: number | null;
  /** The same by position, in at most 64 ranges. */
  entropyByPosition: EntropyRow[];
  tokensPerSecond: number;
  /** Not complete yet: of the rollouts by now. */
  partial: boolean;
}

/** A task of choices. */
export interface MeasuredChoices {
  line: string;
  of: string;
  step: number | null;
  task: string;
  accuracy: Estimate;
  /** -ln p by token of the right choice. */
  nll: Estimate;
}

/** Where a run's time went, as `--profile` kept it. */
export type Profile = ProfileReport;

/** Where the page gets its data. */
export interface Source {
  /** Whether anything can change. */
  readonly live: boolean;
  /** Of a report: what was left out, in words; empty of one that is complete, and of a live source. */
  readonly sampled: string;
  overview(): Promise<Overview>;
  metrics(id: string, query?: MetricsQuery): Promise<Metrics>;
  rollouts(id: string, query: RolloutQuery): Promise<RolloutList>;
  rollout(id: string, place: number): Promise<RolloutView>;
  facets(id: string): Promise<Facets>;
  /** Every place that has rollouts of this question. */
  sightings(question: string): Promise<Sighting[]>;
  tables(id: string): Promise<Tables>;
  profile(id: string): Promise<Profile | null>;
  /** Tells which places have changed; `[]` where places came or went. Returns what ends it. */
  onChange(listener: (ids: string[]) => void): () => void;
}

/** The updates of ranges of [first, last, every]. */
export function stepsOf(ranges: readonly (readonly [number, number, number])[]): number[] {
  return ranges.flatMap(([first, last, every]) =>
    Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, i) => first + i * every)
  );
}
