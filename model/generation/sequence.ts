import type { Part, Rollout, StepStats } from "./rollout.ts";
import { createStopwatch, type Stopwatch } from "./stopwatch.ts";
import {
  detectAnswer,
  detectEnd,
  detectTrigger,
  type ForcedKind,
  type ThinkingRules,
} from "./thinking_text.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

/** A prompt whose rollouts are under way: its keys and values lie at `start` of the cache. */
export interface Prefix {
  /** Index of the job. */
  job: number;
  ids: readonly number[];
  start: number;
  /** Rollouts that have not begun yet, or not ended. */
  open: number;
  /** Its keys and values are in the cache. */
  read: boolean;
}

/** One rollout under way. */
export interface RolloutWork {
  /** Its number among all rollouts, job by job. */
  slot: number;
  /** Keys its draws. */
  rollout: number;
  prefix: Prefix;
  /** Which of the cache's own regions is its. */
  region: number;
  part: Part;
  /** Absolute position of the part's first row. */
  base: number;
  /** Steps of the part that were given to the device. */
  done: number;
  /** Most steps of the part. */
  limit: number;
  /** Its row among those that are decoded; null: its prompt or the forced string has to be read first. */
  row: number | null;
  /** How often a part began: what an earlier beginning of the answer has on the device counts no more. */
  turn: number;
  /** The end of its thinking is known. */
  thought: boolean;
  /** What stands between thinking and answer, once thinking has ended. */
  forced: readonly number[];
  /** Nothing more is to come. */
  ended: boolean;
  /** Of its steps: it stands while the rollout waits for others. */
  time: Stopwatch;
  thinking: Recorded;
  answer: Recorded;
  /** Takes a part's next token; true when the part has ended with it. */
  push(part: Part, id: number): boolean;
  /** Goes on from thinking, whose end is known, to the answer. */
  force(): void;
  /** The same before the last thoughts are known, as if they ended at the limit; {@link force} sees whether they did. */
  assumeLimit(): void;
  result(): Rollout;
}

/** What one part came to so far. */
export interface Recorded {
  ids: number[];
  logp: number[];
  entropy: number[];
  gap: number[];
}

const nothing = (): Recorded => ({ ids: [], logp: [], entropy: [], gap: [] });

/** What is forced where thinking ends without the trigger. */
const AT_LIMIT: ForcedKind = "triggerAndBox";

/** A rollout that is about to begin. */
export function startRollout(
  tokenizer: Tokenizer,
  rules: ThinkingRules,
  plain: boolean,
  place: Pick<RolloutWork, "slot" | "rollout" | "prefix" | "region">,
): RolloutWork {
  const thoughts = plain ? detectEnd(rules) : detectTrigger(tokenizer, rules);
  const answers = detectAnswer(tokenizer, rules);
  let assumed = false;
  const beginAnswer = (kind: ForcedKind, steps: number) => {
    work.forced = rules.forcedIds[kind];
    work.part = "answer";
    work.turn++;
    work.base = place.prefix.ids.length + steps + work.forced.length;
    work.done = 0;
    work.limit = rules.maxAnswer;
    work.row = null;
  };
  const work: RolloutWork = {
    ...place,
    part: "thinking",
    base: place.prefix.ids.length,
    done: 0,
    limit: rules.maxThinking,
    row: null,
    turn: 0,
    thought: false,
    forced: [],
    ended: false,
    time: createStopwatch(),
    thinking: nothing(),
    answer: nothing(),
    push: (part, id) => (part === "thinking" ? thoughts : answers).push(id) !== null,
    force() {
      work.thought = true;
      const steps = work.thinking.ids.length;
      const kind = thoughts.forced!;
      if (!assumed || kind !== AT_LIMIT || steps < rules.maxThinking) beginAnswer(kind, steps);
    },
    assumeLimit() {
      assumed = true;
      beginAnswer(AT_LIMIT, rules.maxThinking);
    },
    result: () => ({
      prompt: place.prefix.job,
      slot: place.slot,
      thinking: work.thinking.ids,
      thinkingEnd: thoughts.ended!,
      forced: work.forced,
      forcedKind: thoughts.forced!,
      answer: work.answer.ids,
      answerEnd: answers.ended ?? "limit",
      thinkingStats: statsOf(work.thinking),
      answerStats: statsOf(work.answer),
    }),
  };
  return work;
}

const statsOf = ({ logp, entropy, gap }: Recorded): StepStats => ({
  logp: Float32Array.from(logp),
  entropy: Float32Array.from(entropy),
  gap: Float32Array.from(gap),
});
