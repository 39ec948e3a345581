import { startSequence } from "../generation/sequence.ts";
import { maxNewTokens } from "../generation/check_context.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { PromptCache } from "./prompt_cache.ts";
import type { ServedSequence } from "./served_sequence.ts";
import type { ServingJob } from "./serving_job.ts";

/** There are as many requests waiting as may: the client is to come again. */
export class QueueFullError extends Error {
  /** Its class, for messages. */
  override name = "QueueFullError";
}

/** Nothing is generated any more, for the reason that is its cause. */
export class EngineFailedError extends Error {
  /** Its class, for messages. */
  override name = "EngineFailedError";

  /**
   * The error.
   *
   * @param cause what the device, or the engine, failed with
   */
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** What admission may give away. */
export interface AdmissionLimits {
  /** Choices that run at once. */
  atOnce: number;
  /** Positions that a text may have. */
  context: number;
  /** Choices, once for each kind of numbers that is seen of their steps; of one alone all kinds are. */
  seenPlaces: number;
}

/** Who waits, who runs, and who comes next. */
export interface Admission {
  /** Choices that run, in the order in which they came to do so. */
  readonly running: ServedSequence[];
  /** Requests of which a choice waits. */
  readonly waiting: ReadonlySet<object>;
  /** Whether a job of a request runs or waits. */
  has(request: object): boolean;
  /** Nobody runs or waits. */
  isIdle(): boolean;
  /** See `Engine.submit`. */
  submit(job: ServingJob): Promise<void>;
  /** Lets those leave who gave up, and those begin for whom there is room. */
  admit(): void;
  /** Calls a listener of a choice's job. What it throws ends that job, and no other. */
  tell<T>(sequence: ServedSequence, listener: () => T): T | undefined;
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

/** Of numbers that are seen of a choice's steps. */
const placesOf = ({ observed: { logits, mixture } }: ServingJob): number => Number(logits) + Number(mixture);

const isWaiting = ({ unbegun }: Entry): boolean => unbegun.length > 0;

/** Jobs that may overtake one whose rows are not free yet: then nobody begins until it does. */
const MOST_OVERTAKEN = 32;

/** Admission to the rows of a cache. */
export function createAdmission(
  tokenizer: Tokenizer,
  prompts: PromptCache,
  { atOnce, context, seenPlaces }: AdmissionLimits,
): Admission {
  const running: ServedSequence[] = [];
  const requests = new Map<object, Set<Entry>>();
  const entryOf = new Map<ServedSequence, Entry>();
  let count = 0;

  const entries = () => [...requests.values()].flatMap((own) => [...own]);
  const end = (entry: Entry, tell: () => void) => {
    const { request } = entry.job;
    const own = requests.get(request);
    if (!own?.delete(entry)) return;
    if (own.size === 0) requests.delete(request);
    tell();
  };
  const settle = (entry: Entry) => {
    if (entry.unbegun.length + entry.running === 0) end(entry, entry.done);
  };
  /** Of the request that has least running, of such the one that came first: one of many choices leaves room for others. */
  const nextBut = (passedOver: ReadonlySet<Entry>): Entry | undefined => {
    let [next, least] = [undefined as Entry | undefined, Infinity];
    for (const own of requests.values()) {
      const first = own.values().find((entry) => isWaiting(entry) && !passedOver.has(entry));
      if (!first) continue;
      const count = own.values().reduce((sum, entry) => sum + entry.running, 0);
      if (count < least) [next, least] = [first, count];
    }
    return next;
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
  const tell = <T>(entry: Entry, listener: () => T): T | undefined => {
    try {
      return listener();
    } catch (error) {
      entry.unbegun = [];
      for (const one of running.filter((one) => entryOf.get(one) === entry)) leave(one);
      end(entry, () => entry.failed(error));
    }
  };
  const seen = (): number => running.reduce((sum, { job }) => sum + placesOf(job), 0);
  const begin = (entry: Entry): boolean => {
    const { job } = entry;
    const places = placesOf(job);
    if (places > 0 && seen() > 0 && seen() + places > seenPlaces) return false;
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
    tell(entry, () => {
      sequence.beginAnswer();
      job.onAnswer(choice, sequence.forced);
    });
    return true;
  };
  return {
    running,
    get waiting() {
      const waiting = requests.entries().filter(([, own]) => own.values().some(isWaiting));
      return new Set(waiting.map(([request]) => request));
    },
    has: (request) => requests.has(request),
    isIdle: () => requests.size === 0,
    submit(job) {
      const own = requests.get(job.request) ?? new Set();
      requests.set(job.request, own);
      return new Promise((done, failed) => {
        own.add({
          ...{ job, unbegun: job.keys.map((_, choice) => choice), running: 0, overtaken: 0 },
          ...{ done, failed },
        });
      });
    },
    admit() {
      for (const sequence of running.filter(({ job }) => job.signal.aborted)) leave(sequence);
      for (const entry of entries()) {
        if (entry.job.signal.aborted) entry.unbegun = [];
        settle(entry);
      }
      const passedOver = new Set<Entry>();
      while (running.length < atOnce) {
        const next = nextBut(passedOver);
        if (!next) return;
        if (begin(next)) {
          for (const entry of passedOver) entry.overtaken++;
          continue;
        }
        if (next.overtaken >= MOST_OVERTAKEN) return;
        passedOver.add(next);
      }
    },
    tell: (sequence, listener) => tell(entryOf.get(sequence)!, listener),
    finish(sequence, byItself) {
      const entry = leave(sequence);
      if (byItself) tell(entry, () => sequence.job.onEnd(sequence.choice, sequence.result()));
      settle(entry);
    },
    fail(error) {
      for (const { failed } of entries()) failed(error);
      requests.clear();
      running.length = 0;
    },
  };
}
