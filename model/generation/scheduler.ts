import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { KvRows } from "./kv_rows.ts";
import { createPrefix, type Prefix } from "./prefix.ts";
import type { GenerationJob, GenerationSettings, Part, Rollout } from "./rollout.ts";
import { type Sequence, startSequence, type WaitingSequence, waitingSequences } from "./sequence.ts";
import { isStale, readStride, type Stride } from "./stride.ts";

/** Who waits, who runs, and what KV rows are free. */
interface Scheduler {
  tokenizer: Tokenizer;
  settings: GenerationSettings;
  /** Positions that the model knows. */
  context: number;
  kvRows: KvRows;
  /** Strides are recorded before the tokens of the one before are known. */
  readBehind: boolean;
  /** Called with each rollout as it ends, and the seconds that its steps took. */
  onRollout(rollout: Rollout, seconds: number): void;
  /** Sequences that have not begun, the next one first. */
  waiting: WaitingSequence[];
  /** Sequences that have a slot, in the order in which they got it. */
  running: Sequence[];
  /** The prompt that was admitted last. */
  lastPrefix: Prefix | undefined;
  /** Strides since the last one that began with a prefill, that one included. */
  stridesSincePrefill: number;
}

/** What the next stride is made of. */
export interface Schedule {
  /** Sequences that take the next steps, in the order of their rows: answers, then thinking. */
  decode: Sequence[];
  /** Those of them whose prompt or forced text is prefilled before. */
  prefill: Sequence[];
}

/**
 * Sequences that need a prefill wait for others to share it with at most so many strides after the last one. A prefill costs
 * about as much as one step of decoding, of which there are four in a stride: at most 1 in 64, then, and less where it fills
 * a tile of rows. Counted in strides, it is the same on every run.
 */
const MOST_STRIDES = 16;

/** A scheduler before its first stride, with all sequences waiting. */
export function createScheduler(
  parts: Pick<Scheduler, "tokenizer" | "settings" | "context" | "kvRows" | "readBehind" | "onRollout">,
  jobs: readonly GenerationJob[],
): Scheduler {
  return {
    ...parts,
    waiting: waitingSequences(jobs),
    running: [],
    lastPrefix: undefined,
    stridesSincePrefill: 0,
  };
}

/**
 * Admits waiting sequences while slots and KV rows allow, and chooses the next stride. A prefill is a pass of its own, so those
 * that need one wait until they are an eighth of all, or half where nobody waits for their slots; but never for long: what has
 * ended is kept for good, and shown, only then.
 */
export function schedule(scheduler: Scheduler): Schedule {
  const { waiting, kvRows } = scheduler;
  while (waiting.length > 0 && kvRows.freeSlots > 0 && admit(scheduler, waiting[0])) waiting.shift();
  const ready = readyToDecode(scheduler);
  const unprefilled = ready.filter(({ row }) => row === null);
  const isDue = unprefilled.length * (waiting.length > 0 ? 8 : 2) >= ready.length ||
    scheduler.stridesSincePrefill >= MOST_STRIDES;
  const chosen = isDue ? ready : ready.filter(({ row }) => row !== null);
  const of = (part: Part) => chosen.filter((sequence) => sequence.part === part);
  const decode = [...of("answer"), ...of("thinking")];
  const prefill = isDue ? unprefilled : [];
  if (decode.length > 0) scheduler.stridesSincePrefill++;
  if (prefill.length > 0) scheduler.stridesSincePrefill = 1;
  for (const { time } of prefill) time.start();
  return { decode, prefill };
}

/** Gives a waiting sequence its slot, and its prompt KV rows; false if its prompt finds none yet. */
function admit(scheduler: Scheduler, next: WaitingSequence): boolean {
  const { tokenizer, settings, context, kvRows, running } = scheduler;
  const { job, prompt, group } = next;
  if (scheduler.lastPrefix?.job !== job) {
    const start = kvRows.takePrefix(prompt.length);
    if (start === null) return false;
    scheduler.lastPrefix = createPrefix({ job, ids: prompt, start, unfinished: group }, kvRows.prefixRows);
  }
  const sequence = startSequence(tokenizer, settings, next, scheduler.lastPrefix, kvRows.takeSlot(), context);
  running.push(sequence);
  if (sequence.maxSteps === 0) endThinking(scheduler, sequence);
  return true;
}

/**
 * Running sequences with steps to take. Those whose last steps are on their way have nothing to do until these are read, unless
 * the device would be idle: then they go on as if thinking ended at its limit, which it mostly does.
 */
function readyToDecode({ running, settings, readBehind }: Scheduler): Sequence[] {
  const ready = () => running.filter(({ steps, maxSteps }) => steps < maxSteps);
  const found = ready();
  if (found.length > 0 || !readBehind || settings.plain) return found;
  for (const sequence of running) if (sequence.part === "thinking") sequence.beginAnswerEarly();
  return ready();
}

/**
 * Appends the tokens of a stride, which have come as `bytes`: sequences that ended with it finish, or go on to their answer.
 * Waits for nothing, so that its tokens are told in the turn in which its rollouts end.
 *
 * @returns how many tokens it brought
 */
export function postprocess(scheduler: Scheduler, stride: Stride, bytes: ArrayBuffer): number {
  const ended = new Set<Sequence>();
  let count = 0;
  readStride(stride, bytes, (row, token) => {
    if (isStale(row)) return true;
    count++;
    if (row.sequence.append(row.part, token)) ended.add(row.sequence);
    return ended.has(row.sequence);
  });
  for (const row of stride.rows.filter((row) => !isStale(row))) {
    const { sequence, part } = row;
    scheduler.settings.onTokens?.(sequence.index, part, sequence[part].ids);
    if (!ended.has(sequence)) continue;
    if (part === "thinking") endThinking(scheduler, sequence);
    else finish(scheduler, sequence);
  }
  return count;
}

function endThinking(scheduler: Scheduler, sequence: Sequence): void {
  if (scheduler.settings.plain) return finish(scheduler, sequence);
  sequence.beginAnswer();
  // An answer that has begun already, as if thinking ended at its limit, goes on.
  if (sequence.row === null) sequence.time.stop();
}

/** A sequence leaves: its slot is free, and its prompt's KV rows with the last sequence of the job. */
function finish({ kvRows, running, onRollout }: Scheduler, sequence: Sequence): void {
  const { prefix, slot } = sequence;
  sequence.finished = true;
  running.splice(running.indexOf(sequence), 1);
  kvRows.releaseSlot(slot);
  if (--prefix.unfinished === 0) kvRows.releasePrefix(prefix.start, prefix.ids.length);
  onRollout(sequence.result(), sequence.time.seconds());
}
