import type { Part, Rollout, StepStats } from "./rollout.ts";
import { detectAnswer, detectEnd, detectTrigger, type ThinkingRules } from "./thinking_text.ts";
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
  /** What stands between thinking and answer, once thinking has ended. */
  forced: readonly number[];
  /** Nothing more is to come. */
  ended: boolean;
  thinking: Recorded;
  answer: Recorded;
  /** Takes the part's next token; true when the part has ended with it. */
  push(id: number): boolean;
  /** Goes on from thinking to the answer. */
  force(): void;
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

/** A rollout that is about to begin. */
export function startRollout(
  tokenizer: Tokenizer,
  rules: ThinkingRules,
  plain: boolean,
  place: Pick<RolloutWork, "slot" | "rollout" | "prefix" | "region">,
): RolloutWork {
  const thoughts = plain ? detectEnd(rules) : detectTrigger(tokenizer, rules);
  const answers = detectAnswer(tokenizer, rules);
  const work: RolloutWork = {
    ...place,
    part: "thinking",
    base: place.prefix.ids.length,
    done: 0,
    limit: rules.maxThinking,
    row: null,
    forced: [],
    ended: false,
    thinking: nothing(),
    answer: nothing(),
    push: (id) => (work.part === "thinking" ? thoughts : answers).push(id) !== null,
    force() {
      work.forced = rules.forcedIds[thoughts.forced!];
      work.part = "answer";
      work.base += work.thinking.ids.length + work.forced.length;
      work.done = 0;
      work.limit = rules.maxAnswer;
      work.row = null;
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
