/** What a sweep is to do, all of it decided: made by readSweep, kept in the sweep's folder. */
export interface SweepPlan {
  /** Settings of `softcot sft` for the model that the runs start from, where the sweep makes it. */
  base?: Named;
  runs: PlannedRun[];
  evaluations: PlannedEvaluation[];
}

/** Settings by the flags' names. */
export type Named = Record<string, unknown>;

/** A run of a sweep: a point of its grid. */
export interface PlannedRun {
  /** Of its folder: its place on every axis, such as `hard-seed-0`. */
  name: string;
  /** What it is compared as: its place on all axes but the seed's. */
  line: string;
  /** What the file says of it, as a configuration of `softcot train`. */
  settings: Named;
  /** Some of its values, whoever set them. */
  resolved: { steps: number; rollouts: number; model: string; validations: number };
}

/** An evaluation that every run of a sweep has. */
export interface PlannedEvaluation {
  name: string;
  /** As the command line names them. */
  tasks: string[];
  /** Updates after which the model is measured; 0 is the model that a run starts from. */
  at: (number | "end")[];
  /** As a configuration of `softcot eval`. */
  settings: Named;
  /** Rollouts of a task that is answered in text, where they are known. */
  rollouts: number;
}

/** The step that an evaluation's place stands for in a run. */
export const stepAt = (at: number | "end", { resolved }: PlannedRun): number =>
  at === "end" ? resolved.steps : at;

/** Untrained models that are measured, in the order of the runs, with their jobs' names. */
export function untrainedOf({ runs, evaluations }: SweepPlan): { name: string; model: string }[] {
  if (!evaluations.some(({ at }) => at.includes(0))) return [];
  const models = [...new Set(runs.map(({ resolved }) => resolved.model))];
  return models.map((model, i) => ({ name: i === 0 ? "untrained" : `untrained-${i + 1}`, model }));
}
