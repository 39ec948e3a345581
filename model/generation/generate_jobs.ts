import type { Scratch } from "../../gpu/arena.ts";
import { letEventsIn } from "../../gpu/let_events_in.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import {
  type DecodeState,
  decodeStride,
  openDecoding,
  readStride,
  type Stride,
  type StrideRow,
} from "./decode.ts";
import { createKvCache, createRowSpace, type RowSpace } from "../transformer/kv_cache.ts";
import { cacheRows, ownRows, prefixRows } from "../memory/cache_budget.ts";
import { prepareReading, type TokenRun } from "./prefill.ts";
import type { GenerationJob, GenerationSettings, Part, Rollout } from "./rollout.ts";
import { type Prefix, type RolloutWork, startRollout } from "./sequence.ts";
import { rolloutsAtOnce, shapeOfJobs } from "./slots.ts";
import { hardThinking } from "../thinking/hard.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Model } from "../transformer/transformer.ts";

/** Where finished rollouts go. */
export interface JobOutput {
  /** Called with each rollout as it ends, and the seconds that its steps took; what it waited for others counts not. */
  onRollout(rollout: Rollout, seconds: number): void;
  /** Called after each stride is read, with how many tokens of thinking and answers it brought. */
  onStride?(tokens: number): void;
  /** [rollouts, steps, d]: keeps the rows that continuous thinking fed. */
  hidden?: Tensor;
}

/**
 * Generates the rollouts of all jobs, as many at once as memory allows: where one ends, the next takes its place, so
 * that rows stay busy whatever the lengths (method section 4). A job's rollouts share its prompt's keys and values, which
 * are computed once for all that are under way together. A rollout is the same to the bit whatever runs beside it.
 *
 * @throws UserError before anything is computed if the longest prompt leaves too little of the model's context
 */
export async function generateJobs(
  model: Model,
  tokenizer: Tokenizer,
  jobs: readonly GenerationJob[],
  settings: GenerationSettings,
  output: JobOutput,
): Promise<void> {
  if (jobs.length === 0) return;
  const { gpu } = model;
  using scratch = gpu.arena.scratch();
  const engine = openEngine(model, tokenizer, jobs, settings, output, scratch);
  const lag = settings.readBehind ?? !gpu.adapter.software ? 1 : 0;
  const strides: Stride[] = [];
  for (;;) {
    settings.signal?.throwIfAborted();
    const { works, entering } = admit(engine, lag > 0);
    if (works.length > 0) strides.push(advance(engine, works, entering));
    else if (strides.length === 0) return;
    while (strides.length > (works.length > 0 ? lag : 0)) {
      await settle(engine, strides.shift()!);
      await letEventsIn();
    }
  }
}

interface Engine {
  tokenizer: Tokenizer;
  settings: GenerationSettings;
  output: JobOutput;
  state: DecodeState;
  prefixes: RowSpace;
  /** Own regions of the cache that nobody uses, the next one last. */
  regions: number[];
  ownStart(work: RolloutWork): number;
  /** Rollouts that have not begun, the next one first. */
  waiting: Iterator<Waiting>;
  next: Waiting | undefined;
  /** The prompt that was taken into the cache last. */
  prefix: Prefix | undefined;
  works: RolloutWork[];
  /** Strides since something was last read before one. */
  sinceReading: number;
}

/**
 * Rollouts that must read first wait for others at most so many strides after the last reading. A reading on its own costs
 * about as much as one step of decoding, of which there are four in a stride: at most 1 in 64, then, and less where it fills
 * a tile of rows. Counted in strides, it is the same on every run.
 */
const MOST_WAIT = 16;

interface Waiting {
  job: number;
  prompt: readonly number[];
  slot: number;
  rollout: number;
  /** Rollouts of the job. */
  group: number;
}

function* waitingOf(jobs: readonly GenerationJob[]): Generator<Waiting> {
  let slot = 0;
  for (const [job, { prompt, rolloutIds }] of jobs.entries()) {
    for (let i = 0; i < rolloutIds.length; i++) {
      yield { job, prompt, slot: slot++, rollout: rolloutIds[i], group: rolloutIds.length };
    }
  }
}

function openEngine(
  model: Model,
  tokenizer: Tokenizer,
  jobs: readonly GenerationJob[],
  settings: GenerationSettings,
  output: JobOutput,
  scratch: Scratch,
): Engine {
  const { config } = model;
  const { thinking, atOnce, answerTau } = settings;
  const shape = shapeOfJobs(model, jobs, settings);
  const slots = rolloutsAtOnce(model, jobs, shape, atOnce);
  const promptRows = prefixRows(slots, shape);
  const own = ownRows(shape.own);
  const cache = createKvCache(scratch, config, cacheRows(slots, shape));
  const waiting = waitingOf(jobs);
  const answering = hardThinking(answerTau);
  return {
    tokenizer,
    settings,
    output,
    state: openDecoding(
      { model, cache, settings, answering, hidden: thinking.continuous ? output.hidden : undefined },
      slots,
      scratch,
    ),
    prefixes: createRowSpace(promptRows),
    regions: Array.from({ length: slots }, (_, i) => slots - 1 - i),
    ownStart: ({ region }) => promptRows + region * own,
    waiting,
    next: waiting.next().value,
    prefix: undefined,
    works: [],
    sinceReading: 0,
  };
}

/**
 * Fills free places, and says which rollouts take the next steps, in the order of their rows. Reading takes a pass of its
 * own, so those that must read first wait until they are an eighth of all, or half where nobody waits for their places; but
 * never for long: what has ended is kept for good, and shown, only then.
 */
function admit(engine: Engine, ahead: boolean): { works: RolloutWork[]; entering: RolloutWork[] } {
  while (engine.next && engine.regions.length > 0 && begin(engine, engine.next)) {
    engine.next = engine.waiting.next().value;
  }
  const ready = readyOf(engine, ahead);
  const entering = ready.filter(({ row }) => row === null);
  const isDue = entering.length * (engine.next ? 8 : 2) >= ready.length || engine.sinceReading >= MOST_WAIT;
  const going = isDue ? ready : ready.filter(({ row }) => row !== null);
  const of = (part: Part) => going.filter((work) => work.part === part);
  return { works: [...of("answer"), ...of("thinking")], entering: isDue ? entering : [] };
}

/**
 * Rollouts with steps to take. Those whose last steps are on their way have nothing to do until these are read, unless the
 * device would be idle: then they go on as if thinking ended at its limit, which it mostly does.
 */
function readyOf({ works, settings }: Engine, ahead: boolean): RolloutWork[] {
  const ready = () => works.filter(({ done, limit }) => done < limit);
  const found = ready();
  if (found.length > 0 || !ahead || settings.plain) return found;
  for (const work of works) if (work.part === "thinking") work.assumeLimit();
  return ready();
}

/** Records the next steps of these rollouts, after what those that enter have to read. */
function advance(engine: Engine, works: RolloutWork[], entering: RolloutWork[]): Stride {
  const { state: { model, cache } } = engine;
  engine.sinceReading++;
  if (entering.length === 0) return decodeStride(engine.state, works, null, engine.ownStart);
  engine.sinceReading = 1;
  for (const { time } of entering) time.start();
  using scratch = model.gpu.arena.scratch();
  const outputs = scratch.f32([entering.length, model.config.hiddenSize], "entering rows");
  const rows = new Map(entering.map((work, i) => [work, i]));
  const record = prepareReading(model, cache, runsOf(engine, rows), outputs, scratch);
  return decodeStride(engine.state, works, { outputs, rows, record }, engine.ownStart);
}

/** Gives a rollout its place in the cache; false if its prompt finds no room yet. */
function begin(engine: Engine, { job, prompt, slot, rollout, group }: Waiting): boolean {
  const { tokenizer, settings, prefixes, regions, works } = engine;
  if (engine.prefix?.job !== job) {
    const start = prefixes.take(prompt.length);
    if (start === null) return false;
    engine.prefix = { job, ids: prompt, start, open: group, read: false };
  }
  const { prefix } = engine;
  const place = { slot, rollout, prefix, region: regions.pop()! };
  const work = startRollout(tokenizer, settings.rules, settings.plain === true, place);
  works.push(work);
  if (work.limit === 0) endThinking(engine, work);
  return true;
}

/** What has to be read before the next stride: new prompts (or their last token again), then forced strings. */
function runsOf(engine: Engine, enters: ReadonlyMap<RolloutWork, number>): TokenRun[] {
  const prompts = new Map<Prefix, number[]>();
  const forced: TokenRun[] = [];
  for (const [work, row] of enters) {
    const { prefix, forced: ids, base } = work;
    const wanted = prompts.get(prefix) ?? [];
    if (!prefix.read || work.part === "thinking") prompts.set(prefix, wanted);
    if (work.part === "thinking") {
      wanted.push(row);
      continue;
    }
    forced.push({
      ids,
      wanted: [row],
      prefixStart: prefix.start,
      prefixLen: prefix.ids.length,
      ownStart: engine.ownStart(work),
      position: base - ids.length,
    });
  }
  const whole = [...prompts].map(([prefix, wanted]): TokenRun => {
    // A rollout that begins later needs the output of the prompt's last token, whose keys are there already.
    const position = prefix.read ? prefix.ids.length - 1 : 0;
    prefix.read = true;
    return {
      ids: prefix.ids.slice(position),
      wanted,
      prefixStart: 0,
      prefixLen: 0,
      ownStart: prefix.start,
      position,
    };
  });
  return [...whole, ...forced];
}

/** Computed past the end of a part, or for an answer that began elsewhere: it is cut off. */
const isPast = ({ work, part, turn }: StrideRow): boolean =>
  work.ended || (part === "thinking" ? work.thought : turn !== work.turn);

/** Takes the tokens of a stride: rollouts that ended with it leave, or go on to their answer. */
async function settle(engine: Engine, stride: Stride): Promise<void> {
  const { settings } = engine;
  const bytes = await stride.read();
  const ended = new Set<RolloutWork>();
  let count = 0;
  readStride(stride, bytes, (row, { id, logp, entropy, gap }) => {
    if (isPast(stride.rows[row])) return true;
    const { work, part } = stride.rows[row];
    const recorded = work[part];
    recorded.ids.push(id);
    recorded.logp.push(logp);
    recorded.entropy.push(entropy);
    recorded.gap.push(gap);
    count++;
    if (work.push(part, id)) ended.add(work);
    return ended.has(work);
  });
  for (const row of stride.rows.filter((row) => !isPast(row))) {
    const { work, part } = row;
    settings.onTokens?.(work.slot, part, work[part].ids);
    if (!ended.has(work)) continue;
    if (part === "thinking") endThinking(engine, work);
    else finish(engine, work);
  }
  engine.output.onStride?.(count);
}

function endThinking(engine: Engine, work: RolloutWork): void {
  if (engine.settings.plain) return finish(engine, work);
  work.force();
  // An answer that has begun already, as if thinking ended at its limit, goes on.
  if (work.row === null) work.time.stop();
}

function finish(engine: Engine, work: RolloutWork): void {
  const { prefixes, regions, works, output } = engine;
  const { prefix } = work;
  work.ended = true;
  works.splice(works.indexOf(work), 1);
  regions.push(work.region);
  if (--prefix.open === 0) prefixes.release(prefix.start, prefix.ids.length);
  output.onRollout(work.result(), work.time.seconds());
}
