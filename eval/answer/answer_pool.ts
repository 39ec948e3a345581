/** A pool of workers that judge answers, so that checking never holds up the GPU. Verdicts are those of verify(). */
import type { Done, Job } from "./answer_worker.ts";
import type { Verdict, VerifyOptions } from "./verify.ts";

/** One pair to judge. */
export interface AnswerPair {
  /** the right answer, or answers of which one must match */
  gold: string | string[];
  /** the answer to be judged */
  answer: string;
  /** options of this pair, over the pool's */
  options?: VerifyOptions;
}

/** What a pool has judged so far: for the metrics of a run. */
export interface PoolCounts {
  /** pairs judged */
  checked: number;
  /** pairs judged equal */
  equal: number;
  /** pairs that the clock decided; the budgets should see to it that there are none */
  time: number;
  /** pairs that a counted budget refused */
  tooLarge: number;
}

/** Workers that judge answers. Close it when done. */
export interface AnswerPool extends Disposable {
  /** What has been judged so far. */
  readonly counts: PoolCounts;
  /** Judges pairs; the verdicts come in the order of the pairs, and do not depend on the number of workers. */
  verify(pairs: AnswerPair[]): Promise<Verdict[]>;
  /** Ends the workers. */
  close(): void;
}

/** How a pool works. */
export interface PoolOptions {
  /** default 1 */
  workers?: number;
  /** options of every pair, under its own; the default time limit is 0.2 s */
  verify?: VerifyOptions;
}

interface Member {
  worker: Worker;
  jobs: Map<number, { job: Job; settle: (verdict: Verdict) => void }>;
  watch?: ReturnType<typeof setTimeout>;
}

/** Seconds without a verdict after which a worker counts as lost; the limit of a pair is kept inside of the worker. */
const GRACE = 300;

/** Starts a pool. Workers start, and load what they need, with the first pairs. */
export function createAnswerPool({ workers = 1, verify: common = {} }: PoolOptions = {}): AnswerPool {
  const counts: PoolCounts = { checked: 0, equal: 0, time: 0, tooLarge: 0 };
  const members: Member[] = [];
  const limit = common.timeLimit ?? 0.2;
  let next = 0;

  function start(): Member {
    const worker = new Worker(new URL("./answer_worker.ts", import.meta.url), { type: "module" });
    const member: Member = { worker, jobs: new Map() };
    worker.onmessage = ({ data }: MessageEvent<Done>) => {
      settle(member, data.id, data.verdict);
      watch(member);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      replace(member, `worker: ${event.message}`);
    };
    return member;
  }

  function settle(member: Member, id: number, verdict: Verdict): void {
    const waiting = member.jobs.get(id);
    if (!waiting) return;
    member.jobs.delete(id);
    counts.checked++;
    if (verdict.equal) counts.equal++;
    if (verdict.rule === "time") counts.time++;
    if (verdict.rule === "too large to decide") counts.tooLarge++;
    waiting.settle(verdict);
  }

  /** The pair a lost worker was at is "not equal: time"; the others go to a new worker. */
  function replace(member: Member, detail: string): void {
    clearTimeout(member.watch);
    member.worker.terminate();
    const at = members.indexOf(member);
    if (at < 0) return;
    const [first, ...rest] = member.jobs.values();
    if (first) {
      const gold = [first.job.gold].flat().join(" | ");
      settle(member, first.job.id, { equal: false, rule: "time", detail, gold, answer: first.job.answer });
    }
    members[at] = start();
    for (const waiting of rest) members[at].jobs.set(waiting.job.id, waiting);
    if (rest.length > 0) members[at].worker.postMessage(rest.map(({ job }) => job));
    watch(members[at]);
  }

  function watch(member: Member): void {
    clearTimeout(member.watch);
    if (member.jobs.size > 0) {
      member.watch = setTimeout(() => replace(member, "worker lost"), (limit + GRACE) * 1000);
    }
  }

  function verify(pairs: AnswerPair[]): Promise<Verdict[]> {
    while (members.length < workers) members.push(start());
    const shares: Job[][] = members.map(() => []);
    const verdicts = pairs.map(({ gold, answer, options }, k) => {
      const job: Job = { id: next++, gold, answer, options: { timeLimit: limit, ...common, ...options } };
      const to = k % members.length;
      shares[to].push(job);
      return new Promise<Verdict>((settle) => members[to].jobs.set(job.id, { job, settle }));
    });
    members.forEach((member, k) => {
      if (shares[k].length > 0) member.worker.postMessage(shares[k]);
      watch(member);
    });
    return Promise.all(verdicts);
  }

  function close(): void {
    for (const member of members.splice(0)) {
      clearTimeout(member.watch);
      member.worker.terminate();
      for (const { job, settle } of member.jobs.values()) {
        settle({
          equal: false,
          rule: "pool closed",
          gold: [job.gold].flat().join(" | "),
          answer: job.answer,
        });
      }
    }
  }

  return { counts, verify, close, [Symbol.dispose]: close };
}
