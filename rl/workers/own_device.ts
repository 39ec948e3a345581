import { rowsOf, sizeOf, type Tensor } from "../../gpu/tensor.ts";
import { generateJobs } from "../../model/generation/generate_jobs.ts";
import { roomForFed } from "../../model/generation/generate.ts";
import type { Rollout } from "../../model/generation/rollout.ts";
import { kindOf } from "./result.ts";
import { globally, markDone, MOST_REFUSED, rowsWanted, type Share, type Task } from "./task.ts";

/**
 * This device, once somebody waits for the rollouts: takes what nobody has, then what others leave undone.
 * @param next resolves when there may be something to do
 */
export async function ownDevice(
  share: Share,
  onDone: () => void,
  next: () => Promise<void>,
  isOver: () => boolean,
): Promise<void> {
  const { pool } = share;
  let perRollout = 0;
  while (!isOver()) {
    const task = nextHere(share, perRollout);
    if (!task) {
      const began = performance.now();
      await next();
      if (pool.own) pool.count("here", { waited: (performance.now() - began) / 1000 });
      continue;
    }
    const began = performance.now();
    if (await makeHere(share, task)) {
      const seconds = (performance.now() - began) / 1000;
      perRollout = seconds / task.count;
      pool.count("here", { device: kindOf(share.model.gpu).adapter, rollouts: task.count, seconds });
      onDone();
    }
  }
}

/** What workers did not bring off, then what nobody has, then what is late. */
function nextHere({ pool, tasks: { left, out } }: Share, perRollout: number): Task | undefined {
  for (const task of out) if (task.refusals >= MOST_REFUSED) return task;
  if (!pool.own) return undefined;
  for (const task of left) return task;
  for (const task of out) if (isLate(task, perRollout)) return task;
  return undefined;
}

/** Others take more than twice the time that this device would, and it has nothing else to do. */
function isLate({ given, sent, count }: Task, perRollout: number): boolean {
  return given !== undefined && performance.now() - sent > 1000 * Math.max(2, 2 * perRollout * count);
}

/** @returns false where a worker was first */
async function makeHere(share: Share, task: Task): Promise<boolean> {
  const { model, tokenizer, settings } = share;
  const output = share.output!;
  const here = share.tasks.here = task.here = new AbortController();
  share.tasks.left.delete(task);
  using scratch = model.gpu.arena.scratch();
  const rows = rowsWanted(share, task);
  const isInPlace = task.first === 0 && !task.given;
  // What a worker may still bring comes as a whole, and so do rows that are put in their place at the end.
  const whole: [Rollout, number][] | undefined = task.given || (rows > 0 && !isInPlace) ? [] : undefined;
  let hidden: Tensor | undefined;
  if (rows > 0) {
    hidden = isInPlace ? rowsOf(output.hidden!, 0, rows) : roomForFed(model, settings, rows, scratch);
  }
  try {
    await generateJobs(model, tokenizer, task.jobs, {
      ...settings,
      signal: AbortSignal.any([here.signal, ...(settings.signal ? [settings.signal] : [])]),
    }, {
      hidden,
      onStride: whole ? undefined : output.onStride,
      onRollout(rollout, seconds) {
        if (whole) whole.push([rollout, seconds]);
        else output.onRollout(globally(task, rollout), seconds);
      },
    });
  } catch (error) {
    if (!here.signal.aborted) throw error;
    return false;
  } finally {
    share.tasks.here = task.here = undefined;
  }
  if (task.done) return false;
  markDone(share, task);
  if (hidden && !isInPlace) {
    const each = sizeOf(hidden.shape.slice(1));
    model.gpu.commands.copy(hidden, 0, output.hidden!, task.first * each, rows * each);
  }
  for (const [rollout, seconds] of whole ?? []) {
    output.onRollout(globally(task, rollout), seconds);
    output.onStride?.(rollout.thinking.length + rollout.answer.length);
  }
  return true;
}
