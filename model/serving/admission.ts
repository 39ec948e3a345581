import { startSequence } from "../generation/sequence.ts";
import { maxNewTokens } from "../generation/check_context.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { PromptCache } from "./prompt_cache.ts";
import type { ServedSequence } from "./served_sequence.ts";
import type { ServingJob } from "./serving_job.ts";

/** There are as many jobs waiting as may: the client is to come again. */
export class QueueFullError extends Error {
  /** Its class, for messages. */
  override name = "QueueFullError";
}

/** Who waits, who runs, and who comes next. */
export interface Admission {
  /** Choices that run, in the order in which they came to do so. */
  readonly running: ServedSequence[];
  /** Jobs of which a choice waits. */
  readonly waiting: number;
  /** Nobody runs or waits. */
  isIdle(): boolean;
  /** See `Engine.submit`. */
  submit(job: ServingJob): Promise<void>;
  /** Lets those leave who gave up, and those begin for whom there is room. */
  admit(): void;
  /** A choice leaves. */
  finish(sequence: ServedSequence, byItself: boolean): void;
  /** Nothing goes on: all jobs fail. */
  fail(error: unknown): void;
}

interface Entry {
  job: ServingJob;
  /** Choices that have not begun: numbers of them, the next one first. */
  unbegun: number[];
  /** Choices that run. */
  running: number;
  /** Jobs that came later and began before one of its choices could. */
  overtaken: number;
  done(): void;
  failed(error: unknown): void;
}

/** Jobs that may overtake one whose rows are not free yet: then nobody begins until it does. */
const MOST_OVERTAKEN = 32;

/** Admission to the rows of a cache. */
export function createAdmission(
  tokenizer: Tokenizer,
  prompts: PromptCache,
  { atOnce, context, mostWaiting }: { atOnce: number; context: number; mostWaiting: number },
): Admission {
  const running: ServedSequence[] = [];
  const entries = new Set<Entry>();
  const entryOf = new Map<ServedSequence, Entry>();
  let count = 0;

  const waitingEntries = () => [...entries].filter(({ unbegun }) => unbegun.length > 0);
  const settle = (entry: Entry) => {
    if (entry.unbegun.length + entry.running > 0) return;
    entries.delete(entry);
    entry.done();
  };
  const leave = (sequence: ServedSequence) => {
    const entry = entryOf.get(sequence)!;
    sequence.finished = true;
    running.splice(running.indexOf(sequence), 1);
    entryOf.delete(sequence);
    prompts.leave(sequence.place);
    entry.running--;
    return entry;
  };
  const begin = (entry: Entry): boolean => {
    const { job } = entry;
    const newTokens = job.plain ? job.rules.maxThinking : maxNewTokens(job.rules);
    const place = prompts.place(job.prompt, newTokens, job.keys.length === 1);
    if (!place) return false;
    const choice = entry.unbegun.shift()!;
    const { prefix, prefixLen, slot } = place;
    const shared = { prefixLen, rest: job.prompt.slice(prefixLen) };
    const who = { index: count++, rolloutId: job.keys[choice] };
    const started = startSequence(tokenizer, job, who, prefix, slot, context, shared);
    const sequence: ServedSequence = Object.assign(started, { prefix, place, job, choice, restFilled: 0 });
    running.push(sequence);
    entryOf.set(sequence, entry);
    entry.running++;
    if (sequence.maxSteps > 0) return true;
    sequence.beginAnswer();
    job.onAnswer(choice, sequence.forced);
    return true;
  };
  return {
    running,
    get waiting() {
      return waitingEntries().length;
    },
    isIdle: () => entries.size === 0,
    submit(job) {
      if (waitingEntries().length >= mostWaiting) {
        return Promise.reject(new QueueFullError(`${mostWaiting} requests wait already`));
      }
      return new Promise((done, failed) => {
        entries.add({
          ...{ job, unbegun: job.keys.map((_, choice) => choice), running: 0, overtaken: 0 },
          ...{ done, failed },
        });
      });
    },
    admit() {
      for (const sequence of running.filter(({ job }) => job.signal.aborted)) leave(sequence);
      for (const entry of entries) if (entry.job.signal.aborted) entry.unbegun = [];
      for (const entry of entries) settle(entry);
      // Who has least running comes first, then who came first: a job of many choices leaves room for others.
      const passedOver = new Set<Entry>();
      while (running.length < atOnce) {
        const next = waitingEntries().filter((entry) => !passedOver.has(entry))
          .sort((a, b) => a.running - b.running)[0];
        if (!next) return;
        if (begin(next)) {
          for (const entry of passedOver) entry.overtaken++;
          continue;
        }
        if (next.overtaken >= MOST_OVERTAKEN) return;
        passedOver.add(next);
      }
    },
    finish(sequence, byItself) {
      const entry = leave(sequence);
      if (byItself) sequence.job.onEnd(sequence.choice, sequence.result());
      settle(entry);
    },
    fail(error) {
      for (const { failed } of entries) failed(error);
      entries.clear();
      running.length = 0;
    },
  };
}
