import { samplesIn } from "../../eval/modes.ts";
import { UserError } from "../../gpu/errors.ts";
import { evalSettings } from "../eval/eval_settings.ts";
import { readConfigFile, type Source } from "../settings/config_file.ts";
import { camel, dashed } from "../settings/dashed.ts";
import { findRecipe } from "../settings/find_recipe.ts";
import { ENDLESS, ownCodeFlags } from "../settings/flags.ts";
import { resolveConfig } from "../settings/resolve_config.ts";
import type { Settings, Values } from "../settings/setting.ts";
import { sftSettings } from "../sft/sft_settings.ts";
import { trainSettings } from "../train/train_settings.ts";
import { type Point, pointsOf } from "./grid.ts";
import type { Named, PlannedEvaluation, PlannedRun, SweepPlan } from "./sweep_plan.ts";

const TABLES = ["fixed", "grid", "base", "evaluate"];
/** What a sweep sets itself, for each run and each evaluation. */
const OWN = ["out", "model", "adapter"];
/** What is said on a sweep's command line alone: a file that comes with own code is not to grant it anything. */
const GRANTS = Object.keys(ownCodeFlags);

/**
 * The plan of a sweep from its TOML file.
 *
 * @param folder of the sweep, where a model that it makes itself will lie
 * @throws UserError if the file cannot be read, or asks for what there is not; every setting of every run is checked
 */
export function readSweep(path: string, folder: string): SweepPlan {
  return planSweep(readConfigFile(path), folder);
}

/** As {@link readSweep}, of a file that was read. */
export function planSweep({ name, values }: Source, folder: string): SweepPlan {
  const stray = Object.keys(values).find((key) => !TABLES.includes(key));
  if (stray !== undefined) {
    throw new UserError(
      `Cannot use ${name}: there is no place for ${stray}`,
      "a sweep has the tables [fixed], [grid], [base] and [[evaluate]]; settings of training stand in [fixed]",
    );
  }
  const base = values.base === undefined ? undefined : asTable(values.base, `${name}, [base]`);
  if (base) {
    refuseOwn(base, ["out"], `${name}, [base]`);
    resolveConfig(sftSettings, { file: { name: `${name}, [base]`, values: base } });
  }
  const fixed = asTable(values.fixed ?? {}, `${name}, [fixed]`);
  const withBase = base && !("model" in fixed) ? { ...fixed, model: `${folder}/base` } : fixed;
  const runs = pointsOf(asTable(values.grid ?? {}, `${name}, [grid]`), name)
    .map((point) => planRun(point, withBase, name));
  refuseTwice(runs, name);
  refuseReserved(runs, name);
  const listed = values.evaluate ?? [];
  if (!Array.isArray(listed)) {
    throw new UserError(`Cannot use ${name}: evaluate is one table`, "write [[evaluate]], once or more");
  }
  const evaluations = listed.map((one, i) => planEvaluation(asTable(one, `${name}, [[evaluate]]`), i, name));
  for (const evaluation of evaluations) refuseUnsaved(evaluation, runs, name);
  return { ...(base ? { base } : {}), runs: keepAll(runs, evaluations), evaluations };
}

function planRun({ name, line, settings }: Point, fixed: Named, file: string): PlannedRun {
  const all = { ...fixed, ...settings };
  refuseOwn(all, ["out"], file);
  const values = resolved(trainSettings, all, `${file}, run ${name}`);
  const { steps, questions, group, model, validateEvery, validationQuestions } = values;
  const validations = validateEvery === 0 ? 0 : Math.ceil(steps / validateEvery) * validationQuestions;
  return { name, line, settings: all, resolved: { steps, rollouts: questions * group, model, validations } };
}

function planEvaluation(table: Named, index: number, file: string): PlannedEvaluation {
  const where = `${file}, [[evaluate]]`;
  const { name = `evaluation-${index + 1}`, tasks = ["sums"], at = [0, "end"], ...settings } = table;
  refuseOwn(settings, OWN, where);
  const places = Array.isArray(at) ? at : [at];
  const isPlace = (one: unknown) => one === "end" || Number.isInteger(one) && (one as number) >= 0;
  if (typeof name !== "string" || !/^[\w.-]+$/.test(name)) {
    throw new UserError(`Cannot use ${where}: name is ${JSON.stringify(name)}, a word is needed`);
  }
  if (!Array.isArray(tasks) || tasks.length === 0 || tasks.some((task) => typeof task !== "string")) {
    throw new UserError(
      `Cannot use ${where}: tasks is ${JSON.stringify(tasks)}, a list of tasks is needed`,
      'such as tasks = ["sums-slips", "owners"]',
    );
  }
  if (places.length === 0 || !places.every(isPlace)) {
    throw new UserError(
      `Cannot use ${where}: at is ${JSON.stringify(at)}, numbers of updates are needed`,
      'such as at = [0, 20, "end"]; 0 is the model before training',
    );
  }
  const { mode, samples, limit } = resolveConfig(evalSettings, { file: { name: where, values: settings } });
  const rollouts = mode.reduce((sum, one) => sum + (limit ?? ENDLESS) * samplesIn(one, samples), 0);
  return { name, tasks, at: places as (number | "end")[], settings, rollouts };
}

/** Recipes count as they do in the command itself. */
function resolved<S extends Settings>(settings: S, values: Named, name: string): Values<S> {
  return resolveConfig(settings, {
    file: { name, values },
    recipe: (chosen) => findRecipe(chosen as Parameters<typeof findRecipe>[0]),
  });
}

function asTable(value: unknown, where: string): Named {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Named;
  throw new UserError(`Cannot use ${where}: it is ${JSON.stringify(value)}, a table is needed`);
}

function refuseOwn(table: Named, own: readonly string[], where: string): void {
  const granted = Object.keys(table).find((key) => GRANTS.includes(camel(key)));
  if (granted !== undefined) {
    throw new UserError(
      `Cannot use ${where}: it sets ${granted}, which the command line alone may say`,
      `leave it out, and start the sweep with --${dashed(camel(granted))}`,
    );
  }
  const found = Object.keys(table).find((key) => own.includes(camel(key)));
  if (found === undefined) return;
  throw new UserError(`Cannot use ${where}: it sets ${found}, which the sweep sets itself`, "leave it out");
}

function refuseTwice(runs: readonly PlannedRun[], file: string): void {
  const names = runs.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice === undefined) return;
  throw new UserError(
    `Cannot use ${file}: two points of the grid are called ${twice}`,
    "each value of an axis, and each name, may stand there once",
  );
}

/** What a sweep calls its own jobs, in folders that may not tell capitals from others. */
function refuseReserved(runs: readonly PlannedRun[], file: string): void {
  const untrained = /^untrained(-\d+)?$/i;
  const taken = runs.find(({ name, line }) =>
    [name, line].some((one) => untrained.test(one)) || /^base$/i.test(name)
  );
  if (taken === undefined) return;
  const found = untrained.test(taken.line) ? `line is called ${taken.line}` : `run is called ${taken.name}`;
  throw new UserError(
    `Cannot use ${file}: a ${found}, which is the name of a model that the sweep itself makes or measures`,
    "give that point of the grid another name",
  );
}

/** A checkpoint that is never written cannot be measured. */
function refuseUnsaved({ name, at }: PlannedEvaluation, runs: readonly PlannedRun[], file: string): void {
  for (const run of runs) {
    const { steps, saveEvery } = resolved(trainSettings, run.settings, file);
    const unsaved = at.find((one) => one !== "end" && one !== steps && (one > steps || one % saveEvery > 0));
    if (unsaved === undefined) continue;
    throw new UserError(
      `Cannot use ${file}: ${name} is to be measured after ${unsaved} updates, where run ${run.name} has no checkpoint: ` +
        `it makes ${steps} and saves every ${saveEvery}`,
      "set save-every in [fixed]",
    );
  }
}

/** Checkpoints that are measured are kept, where nobody says how many are. */
function keepAll(runs: PlannedRun[], evaluations: readonly PlannedEvaluation[]): PlannedRun[] {
  if (!evaluations.some(({ at }) => at.some((one) => one !== "end" && one !== 0))) return runs;
  return runs.map((run) => ({ ...run, settings: { keep: run.resolved.steps, ...run.settings } }));
}
