import { z } from "zod";
import type { ModeResult } from "../../eval/measures/mode_result.ts";
import { UserError } from "../../gpu/errors.ts";
import { isFile, isFolder, isTaken, namesIn } from "../../model/files/on_disk.ts";
import { parseJson } from "../../model/files/parse_json.ts";
import { readPlainText } from "../../model/files/plain_file.ts";
import type { MetricsLine } from "../../rl/train.ts";
import { reportsIn } from "../eval/reports_in.ts";
import { parseSettings } from "../settings/config_file.ts";
import { jsonLinesOf } from "./json_lines_of.ts";

/** What is on disk of a run, for comparing it with others. */
export interface RunRecord {
  /** Its folder. */
  folder: string;
  /** Its config.toml; empty of a model that was not trained. */
  settings: Record<string, unknown>;
  /** Null of a model that was not trained. */
  seed: number | null;
  /** A line an update. */
  lines: MetricsLine[];
  /** What was measured after how many updates, earliest first. */
  measured: Measured[];
}

/** What was measured of a model. */
export interface Measured {
  /** Updates by then. */
  step: number;
  /** Tasks that are answered in text, in each mode. */
  modes: { task: string; result: ModeResult }[];
  /** Tasks of choices. */
  choices: ChoiceMeasured[];
}

/** A task of choices, question by question. */
export interface ChoiceMeasured {
  task: string;
  answers: { id: string; correct: boolean; nll: number }[];
}

/** What is read of a mode's result; the rest is carried along. */
const MODE = z.looseObject({
  mode: z.string(),
  samples: z.int().min(1),
  passAt: z.array(z.looseObject({ k: z.int().min(1) })).min(1),
  entropy: z.number().nullable(),
  thinkingLength: z.number(),
  questions: z.array(z.looseObject({ id: z.string(), correct: z.int(), samples: z.int().min(1) })).min(1),
});
const MODES = z.array(MODE).nullish();
const TESTS = z.looseObject({ before: MODES, after: MODES, best: MODES });
const ANSWER = z.looseObject({ id: z.string(), correct: z.boolean(), nll: z.number() });
/** Of a task that is answered in text, or of one of choices. */
const REPORT = z.looseObject({
  task: z.looseObject({ name: z.string() }),
  modes: z.array(MODE).optional(),
  answers: z.array(ANSWER).min(1).optional(),
});
const REPORTS = z.preprocess(reportsIn, z.array(REPORT));

/** Bytes of a report: a few MB in fact. */
const MOST_REPORT = 400_000_000;

/** How files of runs are read. */
export interface RunReading {
  /**
   * The text of a file.
   * @param most bytes that it may have
   */
  text(path: string, most?: number): string;
  /** A line an update, of metrics.jsonl. */
  lines(path: string): MetricsLine[];
}

/** Wherever they lie. */
const ANYWHERE: RunReading = { text: readPlainText, lines: jsonLinesOf };

/**
 * A run from its folder: its settings, its metrics, its own tables, and the evaluations that lie in `evaluations/step-000100/`.
 *
 * @throws UserError if there is no run, or a file of it is damaged
 */
export function readRun(folder: string, reading = ANYWHERE): RunRecord {
  if (!isFile(`${folder}/config.toml`)) {
    const found = isFolder(folder) ? "it holds no config.toml" : "there is no such folder";
    throw new UserError(`Cannot compare ${folder}: ${found}, a run's folder is needed`);
  }
  const path = `${folder}/config.toml`;
  const settings = settingsIn(path, reading);
  const lines = isTaken(`${folder}/metrics.jsonl`) ? reading.lines(`${folder}/metrics.jsonl`) : [];
  refuseTwice(folder, lines);
  return {
    folder,
    settings,
    seed: typeof settings.seed === "number" ? settings.seed : null,
    lines,
    measured: readMeasured(folder, settings, reading),
  };
}

/** A log that was put together by hand would count updates twice. */
function refuseTwice(folder: string, lines: readonly MetricsLine[]): void {
  const twice = lines.find(({ step }, i) => i > 0 && step <= lines[i - 1].step);
  if (twice === undefined) return;
  throw new UserError(
    `Cannot compare ${folder}: its metrics.jsonl has step ${twice.step} after a later one, or twice`,
    "each update has one line, in their order",
  );
}

function settingsIn(path: string, { text }: RunReading): Record<string, unknown> {
  let source: string;
  try {
    source = text(path);
  } catch (error) {
    throw new UserError(`Cannot read the configuration ${path}: ${(error as Error).message}`);
  }
  return parseSettings(source, path).values;
}

/**
 * What was measured of a run: its own tables, and the evaluations in its folder.
 *
 * @param settings its config.toml
 * @throws UserError if a file is damaged
 */
export function readMeasured(
  folder: string,
  settings: Record<string, unknown>,
  reading = ANYWHERE,
): Measured[] {
  return measuredIn(
    folder,
    ownTests(folder, String(settings.task), Number(settings.steps), reading),
    reading,
  );
}

/**
 * The table of the best checkpoint that a training made at its end, where that is not the last; empty where there is none.
 * @throws UserError if the file is damaged
 */
export function readBestTests(folder: string, reading = ANYWHERE): ModeResult[] {
  const path = `${folder}/tests.json`;
  return isTaken(path) ? (parsed(path, TESTS, reading).best ?? []).map(asResult) : [];
}

/**
 * What an evaluation came to, by the report in its folder or what `--json` printed.
 * @throws UserError if the file is damaged
 */
export function readReport(path: string, reading = ANYWHERE): Omit<Measured, "step"> {
  const one = { step: 0, modes: [], choices: [] };
  addReports(one, parsed(path, REPORTS, reading));
  return one;
}

/** What was measured of a model that was not trained: the evaluations in a folder. */
export function readUntrained(folder: string, reading = ANYWHERE): RunRecord {
  return { folder, settings: {}, seed: null, lines: [], measured: measuredIn(folder, [], reading) };
}

/** The tables that training itself makes, before and after. */
function ownTests(folder: string, task: string, steps: number, reading: RunReading): Measured[] {
  const path = `${folder}/tests.json`;
  if (!isTaken(path)) return [];
  const { before, after } = parsed(path, TESTS, reading);
  const of = (step: number, modes: typeof before): Measured[] =>
    modes ? [{ step, modes: modes.map((result) => ({ task, result: asResult(result) })), choices: [] }] : [];
  return [...of(0, before), ...of(steps, after)];
}

/** With the evaluations, which take the place of the same mode's own table. */
function measuredIn(folder: string, own: readonly Measured[], reading: RunReading): Measured[] {
  const found = new Map(own.map((one) => [one.step, one]));
  for (const name of namesIn(`${folder}/evaluations`).sort()) {
    const step = Number(/^step-(\d+)$/.exec(name)?.[1] ?? NaN);
    if (Number.isNaN(step)) continue;
    const one = found.get(step) ?? { step, modes: [], choices: [] };
    found.set(step, one);
    for (const file of namesIn(`${folder}/evaluations/${name}`).sort()) {
      const path = `${folder}/evaluations/${name}/${file}`;
      if (file.endsWith(".json")) addReports(one, parsed(path, REPORTS, reading));
    }
  }
  return [...found.values()].sort((a, b) => a.step - b.step);
}

/** As an evaluation wrote it: what is looked at was checked. */
const asResult = (result: z.infer<typeof MODE>): ModeResult => result as unknown as ModeResult;

function addReports(one: Measured, reports: z.infer<typeof REPORTS>): void {
  for (const { task: { name: task }, modes, answers } of reports) {
    if (answers) one.choices = [...one.choices.filter((other) => other.task !== task), { task, answers }];
    const results = (modes ?? []).map(asResult);
    const isOther = (other: { task: string; result: ModeResult }) =>
      other.task !== task || !results.some(({ mode }) => mode === other.result.mode);
    one.modes = [...one.modes.filter(isOther), ...results.map((result) => ({ task, result }))];
  }
}

function parsed<T>(path: string, schema: z.ZodType<T>, { text }: RunReading): T {
  let data: unknown;
  try {
    data = parseJson(text(path, MOST_REPORT));
  } catch (error) {
    throw new UserError(`Cannot compare: ${path} is damaged (${(error as Error).message})`, "remove it");
  }
  const checked = schema.safeParse(data);
  if (checked.success) return checked.data;
  throw new UserError(
    `Cannot compare: ${path} holds no results of softcot: ${
      checked.error.issues[0].path.join(".") || "it"
    } is another`,
    "only reports of softcot eval --json belong there",
  );
}
