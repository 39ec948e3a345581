import * as z from "zod";
import type { Gpu } from "../../gpu/gpu.ts";
import { firstIssue } from "../../model/files/first_issue.ts";
import { parseJson } from "../../model/files/parse_json.ts";
import type { GenerationJob, Rollout, StepStats } from "../../model/generation/rollout.ts";
import { detectAnswer, detectTrigger, type ThinkingRules } from "../../model/generation/thinking_text.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";

/** The kernels whose bits a rollout has: rollouts of devices that differ in any of it may differ in the last bits. */
export interface DeviceKind {
  adapter: string;
  matmulFamily: string;
  subgroupSize: number;
}

/** Of an open device. */
export const kindOf = ({ adapter, matmulFamily, subgroupSize }: Gpu): DeviceKind => ({
  adapter: adapter.name,
  matmulFamily,
  subgroupSize,
});

/** A kind, for people and to be compared. */
export const describeKind = ({ adapter, matmulFamily, subgroupSize }: DeviceKind): string =>
  `${adapter} (${matmulFamily}, subgroups of ${subgroupSize})`;

const tokens = z.array(z.int().min(0)).readonly();

const headSchema = z.strictObject({
  /** What they were made for and with. */
  ...{ job: z.string(), version: z.string(), weights: z.string(), update: z.int().min(0) },
  device: z.strictObject({
    adapter: z.string().max(200),
    matmulFamily: z.string().max(20),
    subgroupSize: z.int(),
  }),
  /** That the worker took, and that it waited for the job. */
  ...{ seconds: z.number().min(0), waited: z.number().min(0) },
  /** Bytes that it fetched for it. */
  fetched: z.int().min(0),
  rollouts: z.array(z.strictObject({ thinking: tokens, answer: tokens, seconds: z.number().min(0) }))
    .readonly(),
});

/** What a worker says of the rollouts of a job. Why they ended, and what was forced, follows from their tokens. */
export type ResultHead = z.infer<typeof headSchema>;

/** A worker's result is not what was asked for: the message ends a sentence that names the worker. */
export class RefusedResult extends Error {}

/** It was made with older weights than it may be. */
export class OutdatedResult extends RefusedResult {}

/** What a result has to be. */
export interface Expected {
  job: string;
  version: string;
  weights: string;
  /** After which update the weights are that. */
  update: number;
  prompts: readonly GenerationJob[];
  rules: ThinkingRules;
  tokenizer: Tokenizer;
  /** Tokens that the model knows. */
  vocab: number;
  /** Numbers of a row that continuous thinking fed, and of how many rollouts, the first ones, rows are wanted. */
  width: number;
  rows: number;
}

/** A result that was looked through. */
export interface TakenResult {
  head: ResultHead;
  /** In the order of the job, with indices and numbers of prompts as in the job alone. */
  rollouts: Rollout[];
  /** Rows that thinking fed, [thinking tokens, width] of each rollout whose rows are wanted. */
  rows: Float32Array<ArrayBuffer>[];
}

/** Numbers beside each token: its logarithm, the entropy, the gap. */
const STATS = 3;

/** The logarithm of a probability, as it may be rounded. */
const LARGEST_LOGP = 1e-4;

const countOf = ({ prompts }: Pick<Expected, "prompts">): number =>
  prompts.reduce((sum, { rolloutIds }) => sum + rolloutIds.length, 0);

/** Bytes that a token takes in the head, at most, and what else there is to each rollout and to all. */
const HEAD_BYTES = { token: 11, rollout: 120, all: 4096 };

/** The most bytes that a right result has. */
export function mostBytes(expected: Pick<Expected, "prompts" | "rules" | "width" | "rows">): number {
  const { rules: { maxThinking, maxAnswer }, width, rows } = expected;
  const tokens = maxThinking + maxAnswer;
  return 4 + HEAD_BYTES.all +
    countOf(expected) * (HEAD_BYTES.rollout + tokens * (HEAD_BYTES.token + 4 * STATS)) +
    4 * rows * maxThinking * width;
}

/**
 * A result as bytes: the length of its head (u32), the head as JSON, then f32: of each rollout logarithms, entropies and gaps of its thinking,
 * then of its answer; then the rows that were fed. All little-endian.
 */
export function encodeResult(
  head: Omit<ResultHead, "rollouts">,
  rollouts: readonly { rollout: Rollout; seconds: number }[],
  rows: readonly Float32Array[],
): Uint8Array<ArrayBuffer> {
  const told: ResultHead = {
    ...head,
    rollouts: rollouts.map(({ rollout: { thinking, answer }, seconds }) => ({ thinking, answer, seconds })),
  };
  const json = new TextEncoder().encode(JSON.stringify(told));
  const numbers = [
    ...rollouts.flatMap(({ rollout: { thinkingStats, answerStats } }) =>
      [thinkingStats, answerStats].flatMap(({ logp, entropy, gap }) => [logp, entropy, gap])
    ),
    ...rows,
  ];
  const bytes = new Uint8Array(
    4 + json.length + numbers.reduce((sum, { byteLength }) => sum + byteLength, 0),
  );
  new DataView(bytes.buffer).setUint32(0, json.length, true);
  bytes.set(json, 4);
  let at = 4 + json.length;
  for (const { buffer, byteOffset, byteLength } of numbers) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return bytes;
}

/**
 * Looks through what a stranger sent.
 * @throws RefusedResult that says what is wrong
 */
export function decodeResult(bytes: Uint8Array<ArrayBuffer>, expected: Expected): TakenResult {
  const { head, numbers } = cut(bytes);
  const { job, version, weights, update, prompts, rules, width, rows } = expected;
  if (head.job !== job) throw new RefusedResult(`is of the job ${head.job}, ${job} was asked for`);
  if (head.version !== version) {
    throw new RefusedResult(`was made by softcot ${head.version}, ${version} is needed`);
  }
  if (head.update !== update) {
    const told =
      `was made with the weights after update ${head.update}, those after update ${update} are needed`;
    throw head.update < update ? new OutdatedResult(told) : new RefusedResult(told);
  }
  if (head.weights !== weights) {
    throw new RefusedResult(
      `was made with the weights ${head.weights.slice(0, 12)}, ${weights.slice(0, 12)} are needed`,
    );
  }
  const count = countOf(expected);
  if (head.rollouts.length !== count) {
    throw new RefusedResult(`has ${head.rollouts.length} rollouts, ${count} are needed`);
  }
  const lengths = head.rollouts.map(({ thinking, answer }) => ({
    thinking: thinking.length,
    answer: answer.length,
  }));
  const needed = lengths.reduce(
    (sum, { thinking, answer }, i) => sum + STATS * (thinking + answer) + (i < rows ? thinking * width : 0),
    0,
  );
  if (numbers.length !== needed) {
    throw new RefusedResult(`has ${numbers.length} numbers, ${needed} belong to its rollouts`);
  }
  let at = 0;
  const take = (length: number, isLegal: (value: number) => boolean = Number.isFinite) => {
    const taken = numbers.slice(at, at += length);
    if (!taken.every(isLegal)) throw new RefusedResult("has numbers that are none (NaN), or are infinite");
    return taken;
  };
  const logarithms = (length: number) => {
    const taken = take(length);
    const above = taken.find((value) => value > LARGEST_LOGP);
    if (above !== undefined) {
      throw new RefusedResult(`has a ln p of ${above.toPrecision(3)}, 0 is the most that one can be`);
    }
    return taken;
  };
  // Two tokens may be all that there is to choose from.
  const gaps = (length: number) => take(length, (value) => !Number.isNaN(value));
  const stats = (n: number): StepStats => ({ logp: logarithms(n), entropy: take(n), gap: gaps(n) });
  const owners = prompts.flatMap(({ rolloutIds }, prompt) => Array.from(rolloutIds, () => prompt));
  const rollouts = head.rollouts.map(({ thinking, answer }, index): Rollout => ({
    ...{ prompt: owners[index], index, thinking: [...thinking], answer: [...answer] },
    ...endsOf(thinking, answer, rules, expected, index),
    thinkingStats: stats(thinking.length),
    answerStats: stats(answer.length),
  }));
  return {
    head,
    rollouts,
    rows: lengths.slice(0, rows).map(({ thinking }) => take(thinking * width)),
  };
}

function cut(bytes: Uint8Array<ArrayBuffer>): { head: ResultHead; numbers: Float32Array<ArrayBuffer> } {
  const length = bytes.length < 4
    ? Infinity
    : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (4 + length > bytes.length || (bytes.length - length) % 4 !== 0) {
    throw new RefusedResult(`is no result: its ${bytes.length} bytes are no head and numbers`);
  }
  let head: unknown;
  try {
    head = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(4, 4 + length)));
  } catch {
    throw new RefusedResult("is no result: its head is no JSON");
  }
  const read = headSchema.safeParse(head);
  if (!read.success) throw new RefusedResult(`is no result: ${firstIssue(read.error).slice(0, 200)}`);
  return { head: read.data, numbers: new Float32Array(bytes.slice(4 + length).buffer) };
}

/** Why thinking and answer ended, found anew: where they would have gone on, or ended before, they are no rollout of this model. */
function endsOf(
  thinking: readonly number[],
  answer: readonly number[],
  rules: ThinkingRules,
  { tokenizer, vocab }: Expected,
  index: number,
): Pick<Rollout, "thinkingEnd" | "forced" | "forcedKind" | "answerEnd"> {
  const wrong = (what: string) => new RefusedResult(`has a rollout, number ${index}, ${what}`);
  const strange = [...thinking, ...answer].find((id) => id >= vocab);
  if (strange !== undefined) throw wrong(`with token ${strange}, of which the model has ${vocab}`);
  const follow = <E>(
    detector: { push(id: number): E | null; readonly ended: E | null },
    ids: readonly number[],
  ) => {
    for (const id of ids) {
      if (detector.ended) return null;
      detector.push(id);
    }
    return detector.ended;
  };
  const trigger = detectTrigger(tokenizer, rules);
  const thinkingEnd = follow(trigger, thinking);
  const answerEnd = follow(detectAnswer(tokenizer, rules), answer);
  if (!thinkingEnd) throw wrong("whose thinking does not end where the rules end it");
  if (!answerEnd) throw wrong("whose answer does not end where the rules end it");
  const forcedKind = trigger.forced!;
  return { thinkingEnd, forcedKind, forced: rules.forcedIds[forcedKind], answerEnd };
}
