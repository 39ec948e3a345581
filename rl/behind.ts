import { copyParams, freeParams } from "../model/transformer/params.ts";
import { createAdapter, freeAdapter, refreshAdapter } from "../model/transformer/adapter.ts";
import type { Model } from "../model/transformer/transformer.ts";
import { createLike } from "./optimizer.ts";

/**
 * The weights of the last updates, for rollouts that are so many updates old (`--staleness`). Which weights a rollout is made with follows from
 * its update alone: whoever makes it, and whenever, it is the same.
 */
export interface Behind {
  /** Updates that the trained model has had. */
  done: number;
  /**
   * The models that it was one, two, ... updates ago, or the one that the run began with; they share with it what does not train. The last one's
   * rollouts are what the next update learns from.
   */
  models: Model[];
}

/** The update whose weights make the rollouts of an update: 0 are those that the run begins with. */
export const madeAfter = (staleness: number, step: number): number => Math.max(0, step - 1 - staleness);

/** How many updates old the weights are that make the rollouts of an update; fewer in the first ones. */
export const ageOf = (staleness: number, step: number): number => step - 1 - madeAfter(staleness, step);

/** Room for the weights of so many updates, filled with those of a model that has had none; undefined for 0. */
export function createBehind(model: Model, staleness: number): Behind | undefined {
  if (staleness === 0) return undefined;
  const models = Array.from({ length: staleness }, (_, i) => copyOf(model, `${i + 1} updates ago,`));
  const behind = { done: 0, models };
  for (const one of models) copyTrained(model, one);
  refreshOldest(behind);
  return behind;
}

/** A model beside another that has weights of its own where that one trains. */
function copyOf(model: Model, label: string): Model {
  const { gpu, config, adapter } = model;
  if (adapter) return { ...model, adapter: { ...adapter, ...createAdapter(gpu, config, adapter.settings) } };
  return { ...model, params: createLike(model, label) as Model["params"] };
}

const trainedOf = ({ params, adapter }: Model) => adapter?.params ?? params;

const copyTrained = (from: Model, to: Model): void => copyParams(from.gpu, trainedOf(from), trainedOf(to));

/** Keeps the weights of the moment, and lets go of the oldest: to be called before the update that changes them. */
export function keepBehind(model: Model, behind: Behind): void {
  const all = [model, ...behind.models];
  for (let i = all.length - 1; i > 0; i--) copyTrained(all[i - 1], all[i]);
  behind.done++;
  refreshOldest(behind);
}

/** Brings what the blocks use of the oldest adapter up to date: nobody runs the others. */
export function refreshOldest({ models }: Behind): void {
  const { gpu, adapter } = models.at(-1)!;
  if (adapter) refreshAdapter(gpu, adapter);
}

/**
 * The model as it was after an update.
 * @throws Error if it is not there: older than those that are kept, or not made yet
 */
export function modelAfter(model: Model, { done, models }: Behind, update: number): Model {
  const found = update === done ? model : models[done - 1 - update];
  if (found) return found;
  throw new Error(
    `Cannot give the weights after update ${update}: those after ${done - models.length} to ${done} are kept`,
  );
}

/** Frees it. */
export function freeBehind({ models }: Behind): void {
  for (const { gpu, params, adapter } of models) {
    if (adapter) freeAdapter(gpu, adapter);
    else freeParams(gpu, params);
  }
}
