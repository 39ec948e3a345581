import * as z from "zod";
import type { ModeResult } from "../../eval/measures/mode_result.ts";
import { UserError } from "../../gpu/errors.ts";
import { isTaken, namesIn } from "../../model/files/on_disk.ts";
import { parseJson } from "../../model/files/parse_json.ts";
import { reportsIn } from "../eval/reports_in.ts";
import { type Asked, sameQuestions } from "./crossed.ts";
import { ANYWHERE, type RunReading } from "./run_reading.ts";

/** What was measured of a model. */
export interface Measured {
  /** Updates by then. */
  step: number;
  /** Tasks that are answered in text, in each mode. */
  modes: ModeMeasured[];
  /** Tasks of choices. */
  choices: ChoiceMeasured[];
}

/** What a report says of its questions, besides their ids. */
interface OfQuestions {
  /** The stream that they are of. */
  split?: string;
  /** SHA-256 of the questions with their answers. */
  questionsHash?: string;
}

/** A task that is answered in text, in one mode. */
export interface ModeMeasured extends OfQuestions {
  task: string;
  result: ModeResult;
}

/** A task of choices, question by question. */
export interface ChoiceMeasured extends OfQuestions {
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
  task: z.looseObject({ name: z.string(), questionsHash: z.string().optional() }),
  split: z.string().optional(),
  modes: z.array(MODE).optional(),
  answers: z.array(ANSWER).min(1).optional(),
});
const REPORTS = z.preprocess(reportsIn, z.array(REPORT));

/** Bytes of a report: a few MB in fact. */
const MOST_REPORT = 400_000_000;

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
  return together(ownTests(folder, settings, reading), evaluationsIn(folder, reading));
}

/** The same, but a mode of a task by one set of questions: where evaluations have another one, the run's own table gives way. */
export function measuredOfOneSet(
  folder: string,
  settings: Record<string, unknown>,
  reading: RunReading,
): Measured[] {
  const evaluations = evaluationsIn(folder, reading);
  const asked = new Map(
    evaluations.flatMap(({ modes }) => modes.map((one) => [nameIn(one), askedIn(one)])),
  );
  const own = ownTests(folder, settings, reading).map((table) => ({
    ...table,
    modes: table.modes.filter((one) => sameQuestions(askedIn(one), asked.get(nameIn(one)))),
  }));
  return together(own.filter(({ modes }) => modes.length > 0), evaluations);
}

/** A task and a mode of it. */
export const nameIn = ({ task, result }: ModeMeasured): string => `${task} ${result.mode}`;

/** The questions of a task in a mode, or of one of choices. */
export function askedIn(one: ModeMeasured | ChoiceMeasured): Asked {
  const questions = "result" in one ? one.result.questions : one.answers;
  return { ids: questions.map(({ id }) => id), split: one.split, hash: one.questionsHash };
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

/** The tables that training itself makes, before and after. */
function ownTests(
  folder: string,
  { task, steps }: Record<string, unknown>,
  reading: RunReading,
): Measured[] {
  const path = `${folder}/tests.json`;
  if (!isTaken(path)) return [];
  const { before, after } = parsed(path, TESTS, reading);
  const of = (step: number, modes: typeof before): Measured[] =>
    modes
      ? [{ step, modes: modes.map((result) => ({ task: `${task}`, result: asResult(result) })), choices: [] }]
      : [];
  return [...of(0, before), ...of(Number(steps), after)];
}

/** The evaluations in a folder, by the updates of what they are of; one that failed left a folder without a report. */
export function evaluationsIn(folder: string, reading: RunReading): Measured[] {
  const found: Measured[] = [];
  for (const name of namesIn(`${folder}/evaluations`).sort()) {
    const step = Number(/^step-(\d+)$/.exec(name)?.[1] ?? NaN);
    if (Number.isNaN(step)) continue;
    const one: Measured = { step, modes: [], choices: [] };
    for (const file of namesIn(`${folder}/evaluations/${name}`).sort()) {
      const path = `${folder}/evaluations/${name}/${file}`;
      if (file.endsWith(".json")) addReports(one, parsed(path, REPORTS, reading));
    }
    if (one.modes.length > 0 || one.choices.length > 0) found.push(one);
  }
  return found.sort((a, b) => a.step - b.step);
}

/** A run's own tables with the evaluations, which take the place of the same mode's own table. */
function together(own: readonly Measured[], evaluations: readonly Measured[]): Measured[] {
  const found = new Map(own.map((table) => [table.step, table]));
  for (const { step, modes, choices } of evaluations) {
    const names = new Set(modes.map(nameIn));
    const others = found.get(step)?.modes.filter((one) => !names.has(nameIn(one))) ?? [];
    found.set(step, { step, modes: [...others, ...modes], choices });
  }
  return [...found.values()].sort((a, b) => a.step - b.step);
}

/** As an evaluation wrote it: what is looked at was checked. */
const asResult = (result: z.infer<typeof MODE>): ModeResult => result as unknown as ModeResult;

function addReports(one: Measured, reports: z.infer<typeof REPORTS>): void {
  for (const { task: { name: task, questionsHash }, split, modes, answers } of reports) {
    const told = { task, split, questionsHash };
    if (answers) one.choices = [...one.choices.filter((other) => other.task !== task), { ...told, answers }];
    const results = (modes ?? []).map(asResult);
    const isOther = (other: ModeMeasured) =>
      other.task !== task || !results.some(({ mode }) => mode === other.result.mode);
    one.modes = [...one.modes.filter(isOther), ...results.map((result) => ({ ...told, result }))];
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
