import { assert } from "../../gpu/assert.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { STRIDE } from "../transformer/stride_steps.ts";
import type { Slot } from "./kv_rows.ts";
import type { Prefix } from "./prefix.ts";
import type { GenerationJob, GenerationSettings, Part, Rollout, StepStats } from "./rollout.ts";
import { createStopwatch, type Stopwatch } from "./stopwatch.ts";
import { detectAnswer, detectEnd, detectTrigger, type ForcedKind } from "./thinking_text.ts";

/** A rollout that has not begun: it waits for a slot, and for KV rows for its prompt. */
export interface WaitingSequence {
  /** Index of its job. */
  job: number;
  prompt: readonly number[];
  /** Its number among all rollouts, job by job. */
  index: number;
  /** Keys its draws. */
  rolloutId: number;
  /** Sequences of the job. */
  group: number;
}

/** All rollouts of all jobs, in their order. */
export function waitingSequences(jobs: readonly GenerationJob[]): WaitingSequence[] {
  let index = 0;
  return jobs.flatMap(({ prompt, rolloutIds }, job) =>
    Array.from(rolloutIds, (rolloutId) => ({
      ...{ job, prompt, index: index++, rolloutId },
      group: rolloutIds.length,
    }))
  );
}

/**
 * A rollout that runs: its prompt, its thinking, its *forced text* (what the rules put between thinking and answer, whatever the
 * model would say) and its answer.
 */
export interface Sequence {
  /** Its number among all rollouts, job by job. */
  index: number;
  /** Keys its draws. */
  rolloutId: number;
  /** What it shares with others in the KV cache: its prompt, or a prompt that begins as its own does. */
  prefix: Prefix;
  /** How many tokens of {@link prefix} are its own prompt's. */
  prefixLen: number;
  /** The rest of its prompt, which nobody shares: it begins in its own KV rows. */
  rest: readonly number[];
  /** KV rows of its own: position {@link prefixLen} lies in the first of them. */
  slot: Slot;
  /** What is generated now. */
  part: Part;
  /** Absolute position of the part's first row. */
  partStart: number;
  /** Steps of the part that were given to the device; up to a stride more than {@link maxSteps}. */
  steps: number;
  /** Most steps of the part. */
  maxSteps: number;
  /** Its row among those that are decoded; null: its prompt or its forced text has to be prefilled first. */
  row: number | null;
  /** How often its answer began: what one that began too early has on the device counts no more. */
  answersBegun: number;
  /** The end of its thinking is known. */
  thinkingEnded: boolean;
  /** Ids of the forced text, once thinking has ended. */
  forced: readonly number[];
  /** Nothing more is to come. */
  finished: boolean;
  /** Of its steps: it stands while the sequence waits for others. */
  time: Stopwatch;
  thinking: ChosenTokens;
  answer: ChosenTokens;
  /** Takes a part's next token; true when the part has ended with it. */
  append(part: Part, token: ChosenToken): boolean;
  /** Goes on from thinking, whose end is known, to forced text and answer. */
  beginAnswer(): void;
  /** The same before the last thoughts are known, as if they ended at the limit; {@link beginAnswer} sees whether they did. */
  beginAnswerEarly(): void;
  result(): Rollout;
}

/**
 * What one step chose. Of a soft or fuzzy thought it is the *shadow*: the most probable token, which is read for triggers and
 * shown, while a mixture of embeddings is what the model is fed.
 */
export interface ChosenToken {
  id: number;
  /** The statistics of {@link StepStats}. */
  logp: number;
  entropy: number;
  gap: number;
}

/** What one part came to so far. */
interface ChosenTokens {
  ids: number[];
  logp: number[];
  entropy: number[];
  gap: number[];
}

const noTokens = (): ChosenTokens => ({ ids: [], logp: [], entropy: [], gap: [] });

/** What is forced where thinking ends without the trigger. */
const AT_LIMIT: ForcedKind = "triggerAndBox";

/**
 * A sequence that begins to run: its prompt has KV rows, and it has a slot.
 *
 * @param context positions that the model knows: no part may go past them
 * @param shared what of its prompt lies in the prefix, and what does not; the prefix is the prompt where it is left out
 */
export function startSequence(
  tokenizer: Tokenizer,
  { rules, plain }: Pick<GenerationSettings, "rules" | "plain">,
  { index, rolloutId }: Pick<WaitingSequence, "index" | "rolloutId">,
  prefix: Prefix,
  slot: Slot,
  context: number,
  shared: Pick<Sequence, "prefixLen" | "rest"> = { prefixLen: prefix.ids.length, rest: [] },
): Sequence {
  const thinkingEnd = plain ? detectEnd(rules) : detectTrigger(tokenizer, rules);
  const answerEnd = detectAnswer(tokenizer, rules);
  const promptLength = shared.prefixLen + shared.rest.length;
  let isEarly = false;
  const beginAnswer = (kind: ForcedKind, thoughts: number) => {
    const forced = rules.forcedIds[kind];
    const partStart = promptLength + thoughts + forced.length;
    expectRoom(sequence, partStart, rules.maxAnswer, context);
    sequence.forced = forced;
    sequence.part = "answer";
    sequence.partStart = partStart;
    sequence.steps = 0;
    sequence.maxSteps = rules.maxAnswer;
    sequence.row = null;
    sequence.answersBegun++;
  };
  const sequence: Sequence = {
    ...{ index, rolloutId, prefix, slot, ...shared },
    part: "thinking",
    partStart: promptLength,
    steps: 0,
    maxSteps: rules.maxThinking,
    row: null,
    answersBegun: 0,
    thinkingEnded: false,
    forced: [],
    finished: false,
    time: createStopwatch(),
    thinking: noTokens(),
    answer: noTokens(),
    append(part, { id, logp, entropy, gap }) {
      const tokens = sequence[part];
      tokens.ids.push(id);
      tokens.logp.push(logp);
      tokens.entropy.push(entropy);
      tokens.gap.push(gap);
      return (part === "thinking" ? thinkingEnd : answerEnd).push(id) !== null;
    },
    beginAnswer() {
      sequence.thinkingEnded = true;
      const thoughts = sequence.thinking.ids.length;
      const kind = thinkingEnd.forced!;
      if (!isEarly || kind !== AT_LIMIT || thoughts < rules.maxThinking) beginAnswer(kind, thoughts);
    },
    beginAnswerEarly() {
      isEarly = true;
      beginAnswer(AT_LIMIT, rules.maxThinking);
    },
    result: () => ({
      prompt: prefix.job,
      index,
      thinking: sequence.thinking.ids,
      thinkingEnd: thinkingEnd.ended!,
      forced: sequence.forced,
      forcedKind: thinkingEnd.forced!,
      answer: sequence.answer.ids,
      answerEnd: answerEnd.ended ?? "limit",
      thinkingStats: statsOf(sequence.thinking),
      answerStats: statsOf(sequence.answer),
    }),
  };
  expectRoom(sequence, promptLength, rules.maxThinking, context);
  return sequence;
}

/** A part's steps have positions in the context, and with the stride that may be computed past them KV rows in the slot. */
function expectRoom(
  { index, prefixLen, rest, slot }: Sequence,
  partStart: number,
  maxSteps: number,
  context: number,
): void {
  const prompt = prefixLen + rest.length;
  assert(
    partStart >= 0 && maxSteps >= 0 && partStart + maxSteps <= context,
    () =>
      `Cannot generate ${maxSteps} tokens of sequence ${index} from position ${partStart}: ` +
      `the model's context ends at ${context}, positions within it are needed`,
  );
  assert(
    partStart >= prompt && partStart + maxSteps + STRIDE <= prefixLen + slot.rows,
    () =>
      `Cannot generate ${maxSteps} tokens of sequence ${index} from position ${partStart}: its prompt ends at ${prompt}, ` +
      `its slot has ${slot.rows} KV rows, ${STRIDE} more than its tokens are needed`,
  );
}

const statsOf = ({ logp, entropy, gap }: ChosenTokens): StepStats => ({
  logp: Float32Array.from(logp),
  entropy: Float32Array.from(entropy),
  gap: Float32Array.from(gap),
});
