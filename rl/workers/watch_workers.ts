import type { Share, Task } from "./task.ts";

/** Milliseconds between looks at who is there, and between words that nobody is. */
const LOOK = 1000;
const REMIND = 30_000;
/** Looks in which a job is nowhere, before it is given again; and jobs that are looked for each time. */
const [PATIENCE, AT_ONCE] = [2, 8];

/** Looks after the workers while there is something to do: gives again what got lost, and says when nobody is there whom somebody waits for. */
export function watchWorkers(
  share: Share,
  { found, again, stop }: {
    /** Called at each look; undefined where the server does not answer. */
    found(helpers: number | undefined): void;
    again(task: Task): void;
    stop(reason: unknown): void;
  },
): Disposable {
  const { pool, tasks } = share;
  let told = performance.now() - REMIND + 2 * LOOK;
  const missed = new Map<Task, number>();
  let looking = false;
  const look = async () => {
    const there = await pool.there();
    const out = [...tasks.out];
    const nobody = !there || there.waiting + there.atWork === 0;
    found(there && there.waiting + there.atWork);
    for (const task of there ? out.slice(0, AT_ONCE) : []) {
      // Acknowledged, and nothing came or comes: whoever had it said that it is done.
      const isLost = !task.checked && !await pool.isUnderWay(task.given!);
      missed.set(task, isLost ? (missed.get(task) ?? 0) + 1 : 0);
      if (task.done || missed.get(task)! < PATIENCE) continue;
      missed.delete(task);
      pool.sayAtTimes("again    a job left the queue and brought nothing: it is given once more");
      again(task);
    }
    if (!nobody || pool.own || !share.output) return;
    if (pool.signal?.aborted) return stop(new DOMException("no worker was there", "AbortError"));
    if (performance.now() - told < REMIND) return;
    told = performance.now();
    pool.say(
      there
        ? `waiting  no worker is there to make rollouts: start one with softcot worker ${pool.place}`
        : `waiting  the NATS server at ${pool.place} is not there`,
    );
  };
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    look().catch(stop).finally(() => looking = false);
  }, LOOK);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
