import { sizeOf } from "../../gpu/tensor.ts";
import { checkRollout } from "./check_rollout.ts";
import { type Job, weightsOf } from "./job.ts";
import {
  decodeResult,
  describeKind,
  type Expected,
  kindOf,
  mostBytes,
  RefusedResult,
  type TakenResult,
} from "./result.ts";
import { newId } from "./streams.ts";
import {
  globally,
  markDone,
  MOST_REFUSED,
  rowsWanted,
  type Share,
  type Steering,
  type Task,
} from "./task.ts";
import type { GivenJob } from "./worker_pool.ts";

/** Gives a task to workers, once more where it was given before. */
export function giveTask(share: Share, task: Task, steering: Steering): void {
  const { pool, tasks } = share;
  if (task.given) pool.withdraw(task.given);
  const { job, expected } = jobOf(share, task);
  const given: GivenJob = {
    ...{ job, most: mostBytes(expected), stop: steering.stop },
    async came(look) {
      task.checked = true;
      if (share.output) await look();
      else share.arrived.push(look);
    },
    async take(bytes, worker) {
      try {
        await takeResult(share, task, worker, decodeResult(bytes, expected), steering);
      } catch (error) {
        if (error instanceof RefusedResult) throw error;
        steering.stop(error);
      } finally {
        task.checked = false;
      }
    },
    refused(isBroken) {
      task.refusals += isBroken ? MOST_REFUSED : 1;
      steering.stir();
    },
  };
  task.given = given;
  task.sent = performance.now();
  tasks.left.delete(task);
  tasks.out.add(task);
  pool.give(given);
}

/** Bytes of rows that a job asks for so that one of its rollouts can be looked at. */
const ROOM_TO_LOOK = 64 * 2 ** 20;

/** Only with its rows can a rollout be looked at as closely as this device can: of how many, so that none of these is foreseen. */
const rowsToLookAt = ({ model, settings: { rules } }: Share, { count }: Task): number =>
  Math.min(count, Math.max(1, Math.floor(ROOM_TO_LOOK / (4 * rules.maxThinking * model.config.hiddenSize))));

/** What a task's job says, and what its result has to be. */
function jobOf(
  share: Share,
  task: Task,
): { job: Job; expected: Expected } {
  const { pool, tokenizer, model, settings: { rules, thinking }, common } = share;
  const id = newId();
  const rows = thinking.continuous ? Math.max(rowsToLookAt(share, task), rowsWanted(share, task)) : 0;
  const job: Job = {
    ...common,
    id,
    prompts: task.jobs.map(({ prompt, rolloutIds }) => ({
      prompt: [...prompt],
      rolloutIds: [...rolloutIds as number[]],
    })),
    rows,
  };
  const expected: Expected = {
    ...{ job: id, version: pool.version, weights: weightsOf(job), prompts: task.jobs, rules, tokenizer },
    update: job.update,
    ...{ vocab: model.config.vocabSize, width: thinking.continuous ? model.config.hiddenSize : 0, rows },
  };
  return { job, expected };
}

/** Takes a worker's rollouts, where nobody else was first. */
async function takeResult(
  share: Share,
  task: Task,
  worker: string,
  result: TakenResult,
  { done }: Steering,
): Promise<void> {
  await checkOne(share, task, result);
  if (task.done) return;
  markDone(share, task);
  task.here?.abort(new DOMException("a worker was first", "AbortError"));
  const { device, seconds, waited, fetched, rollouts } = result.head;
  share.pool.count(worker, { device: device.adapter, rollouts: rollouts.length, seconds, waited, fetched });
  deliver(share, task, result);
  done();
}

/** Looks at one rollout of a result, which nobody can foresee, as closely as this device can. */
async function checkOne(
  { model, settings }: Share,
  task: Task,
  { rollouts, rows }: TakenResult,
): Promise<void> {
  const [index] = crypto.getRandomValues(new Uint32Array(1)).map((word) =>
    word % (rows.length || rollouts.length)
  );
  const rollout = rollouts[index];
  const { prompt } = task.jobs[rollout.prompt];
  const ids = task.jobs.flatMap(({ rolloutIds }) => Array.from(rolloutIds));
  await checkRollout(model, settings, { prompt, rollout, id: ids[index], rows: rows[index] });
}

/** Puts a worker's rollouts where those of this device would be. */
function deliver(share: Share, task: Task, { head, rollouts, rows }: TakenResult): void {
  const { model } = share;
  const output = share.output!;
  const each = output.hidden ? sizeOf(output.hidden.shape.slice(1)) : 0;
  rows.slice(0, rowsWanted(share, task)).forEach((data, i) => {
    if (data.length > 0) model.gpu.commands.upload(output.hidden!, data, (task.first + i) * each);
  });
  const [device, here] = [head.device, kindOf(model.gpu)].map(describeKind);
  const madeOn = device === here ? undefined : device;
  let tokens = 0;
  rollouts.forEach((rollout, i) => {
    tokens += rollout.thinking.length + rollout.answer.length;
    output.onRollout(globally(task, rollout, madeOn), head.rollouts[i].seconds);
  });
  output.onStride?.(tokens);
}
