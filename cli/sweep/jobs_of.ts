import { isFile } from "../../model/files/on_disk.ts";
import { readJob } from "./sweep_folder.ts";
import {
  type PlannedEvaluation,
  type PlannedRun,
  stepAt,
  type SweepPlan,
  untrainedOf,
} from "./sweep_plan.ts";

/** What a sweep does at one of its places, one process after the other: a run and its evaluations, or those of an untrained model. */
export interface Job {
  name: string;
  line: string;
  /** The run; absent where an untrained model is measured. */
  run?: PlannedRun;
  parts: JobPart[];
}

/** One process of a job. */
export interface JobPart {
  /** What the job's record calls it. */
  name: string;
  /** What it is, for comparing times: parts of a kind take as long as their work says. */
  kind: string;
  /** In rollouts; those of an update, whose gradient is taken, count twice. */
  work: number;
  evaluation?: { of: PlannedEvaluation; model: string; report: string };
  isDone: boolean;
}

/**
 * All jobs of a plan, and which of their parts are done: untrained models first, then runs as planned.
 * @param only these runs, and the untrained models that they start from
 */
export function jobsOf(folder: string, plan: SweepPlan, only: readonly PlannedRun[] = plan.runs): Job[] {
  const runs = plan.runs.filter((run) => only.includes(run));
  const models = new Set(runs.map(({ resolved }) => resolved.model));
  return [
    ...untrainedJobs(folder, plan).filter(({ model }) => models.has(model)),
    ...runs.map((run) => runJob(folder, plan, run)),
  ];
}

function untrainedJobs(folder: string, plan: SweepPlan): (Job & { model: string })[] {
  const all = untrainedOf(plan);
  return all.map(({ name, model }) => ({
    name,
    model,
    line: all.length > 1 ? `untrained ${model}` : "untrained",
    parts: plan.evaluations.filter(({ at }) => at.includes(0))
      .map((evaluation) => evaluationPart(evaluation, `${folder}/${name}`, 0, model)),
  }));
}

function runJob(folder: string, { evaluations }: SweepPlan, run: PlannedRun): Job {
  const { steps, rollouts, validations } = run.resolved;
  const out = `${folder}/runs/${run.name}`;
  const trained: JobPart = {
    name: "train",
    kind: "train",
    work: 2 * steps * rollouts + validations,
    isDone: "train" in readJob(folder, run.name).seconds,
  };
  const measured = evaluations.flatMap((evaluation) =>
    [...new Set(evaluation.at.map((at) => stepAt(at, run)))].filter((step) => step > 0)
      .map((step) => evaluationPart(evaluation, out, step, `${out}/checkpoints/${nameOfStep(step)}`))
  );
  return { name: run.name, line: run.line, run, parts: [trained, ...measured] };
}

function evaluationPart(of: PlannedEvaluation, out: string, step: number, model: string): JobPart {
  const report = `${out}/evaluations/${nameOfStep(step)}/${of.name}.json`;
  return {
    name: `${of.name} at ${step}`,
    kind: `evaluate ${of.name}`,
    work: of.rollouts,
    evaluation: { of, model, report },
    isDone: isFile(report),
  };
}

/** As checkpoints are called. */
const nameOfStep = (step: number): string => `step-${String(step).padStart(6, "0")}`;
