import type { Share, Task } from "./task.ts";

/** Milliseconds between looks at who is there, and between words that nobody is. */
const LOOK = 1000;
const REMIND = 30_000;
/** Looks in a row in which a job is nowhere, or nobody is there, before something is made of it; and jobs that are looked for each time. */
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
  let alone = 0;
  let looking = false;
  const look = async () => {
    const there = await pool.there();
    const out = [...tasks.out];
    const nobody = !there || there.waiting + there.atWork === 0;
    found(there && there.waiting + there.atWork);
    for (const task of there ? out.slice(0, AT_ONCE) : []) {
      // Acknowledged, and nothing came or comes: whoever had it said that it is done.
      const isLost = !task.checked && !await pool.isUnderWay(task.given!);
      const times = isLost && !task.done ? (missed.get(task) ?? 0) + 1 : 0;
      missed.delete(task);
      if (times > 0 && times < PATIENCE) missed.set(task, times);
      if (times < PATIENCE) continue;
      pool.sayAtTimes("again    a job left the queue and brought nothing: it is given once more");
      again(task);
    }
    alone = nobody ? alone + 1 : 0;
    if (alone < PATIENCE || pool.own || !share.output) return;
    if (pool.signal?.aborted) return stop(new DOMException("no worker was there", "AbortError"));
    if (performance.now() - told < REMIND) return;
    told = performance.now();
    pool.say(
      there
        ? `waiting  no worker is there to make rollouts: start one with softcot worker ${pool.place}`
        : `waiting  the NATS server at ${pool.place} does not answer`,
    );
  };
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    look().catch(stop).finally(() => looking = false);
  }, LOOK);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
