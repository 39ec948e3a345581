import type { Rollout } from "../../../model/generation/rollout.ts";
import type { Thinking } from "../../../model/thinking/thinking.ts";
import { thinkingRules } from "../../../model/generation/thinking_text.ts";
import { wayOfThinking } from "../../../model/thinking/ways.ts";
import type { Model } from "../../../model/transformer/transformer.ts";
import type { Job } from "../../../rl/workers/job.ts";
import { makeRollouts } from "../../../rl/workers/make_rollouts.ts";
import { type DeviceKind, kindOf } from "../../../rl/workers/result.ts";
import { tokenizer } from "../../model/support/small_models.ts";

/** A rollout that was made once, with the rows that its thinking fed. */
export interface KnownRollout {
  rollout: Rollout;
  seconds: number;
  rows: Float32Array;
}

/** Rollouts by the numbers that key their draws, and the device that made them. */
export interface KnownRollouts {
  device: DeviceKind;
  rollouts: KnownRollout[];
}

/** Rollouts that are wanted of a model, and those that it makes. */
export interface KnownWork {
  jobs: Job["prompts"];
  settings: Pick<Job, "answerTau" | "seed" | "step"> & {
    thinking: Thinking;
    rules: ReturnType<typeof thinkingRules>;
  };
  known: KnownRollouts;
}

const GROUP = 8;

/** So many soft rollouts, eight to a prompt of twelve tokens, of at most ten thoughts and four tokens of an answer. */
export async function knownWork(model: Model, count: number): Promise<KnownWork> {
  const jobs = Array.from({ length: Math.ceil(count / GROUP) }, (_, q) => ({
    prompt: Array.from({ length: 12 }, (_, i) => 1 + (7 * q + i) % 40),
    rolloutIds: Array.from({ length: Math.min(GROUP, count - GROUP * q) }, (_, g) => GROUP * q + g),
  }));
  const options = { greedy: false, gamma: 0.33, embeddingRms: 0.1 };
  const endTokenIds = [...model.config.eosTokenIds];
  const rules = thinkingRules(tokenizer, { maxThinking: 10, maxAnswer: 4, endTokenIds });
  const draws = { answerTau: 1, seed: 1, step: 1 };
  const { rollouts, rows } = await makeRollouts(
    {
      ...{ thinking: { way: "soft", options }, rules: structuredClone(rules) as Job["rules"] },
      ...{ ...draws, prompts: jobs, rows: count },
    },
    { model, tokenizer },
    new AbortController().signal,
  );
  return {
    jobs,
    settings: { ...draws, thinking: wayOfThinking("soft", options), rules },
    known: { device: kindOf(model.gpu), rollouts: rollouts.map((made, i) => ({ ...made, rows: rows[i] })) },
  };
}

/** Writes them as JSON, in which numbers of f32 keep all their bits. */
export function writeRollouts(path: string, known: KnownRollouts): void {
  Deno.writeTextFileSync(
    path,
    JSON.stringify(known, (_, value) => value instanceof Float32Array ? { f32: [...value] } : value),
  );
}

/** Reads what {@link writeRollouts} wrote. */
export function readRollouts(path: string): KnownRollouts {
  return JSON.parse(
    Deno.readTextFileSync(path),
    (_, value) => Array.isArray(value?.f32) ? new Float32Array(value.f32) : value,
  );
}
