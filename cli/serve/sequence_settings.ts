import { philox } from "../../gpu/random.ts";
import { maxNewTokens } from "../../model/generation/check_context.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import type { KeyedSteps, ServingJob } from "../../model/serving/serving_job.ts";
import { hardThinking } from "../../model/thinking/hard.ts";
import type { Thinking } from "../../model/thinking/thinking.ts";
import { type AnyWay, DRAWN_MIXTURES, wayOfThinking } from "../../model/thinking/ways.ts";
import { type PromptField, refuseTooLong } from "./refuse_too_long.ts";
import type { SamplingRequest } from "./sampling_request.ts";
import type { ServedModel } from "./served_model.ts";

/** How a request's choices are generated. */
export type ChoiceSettings = Pick<ServingJob, "keys" | "steps" | "rules" | "plain"> & { seed: number };

/** What a request wants, with what holds where it does not say. */
interface Wanted {
  request: SamplingRequest;
  /** How to think; "none": the text is only continued. */
  thinking: AnyWay | "none";
  /** Tokens in all; what the server has where it is left out. */
  maxTokens?: number;
  /** Where its prompt stands. */
  field: PromptField;
}

/**
 * Settings of a request's choices.
 *
 * @param promptTokens of its longest prompt
 * @throws ApiError 400 where prompt and tokens exceed the context, by how much
 */
export function choiceSettings(served: ServedModel, wanted: Wanted, promptTokens: number): ChoiceSettings {
  const { request, thinking } = wanted;
  const seed = request.seed ?? randomSeed();
  const plain = thinking === "none";
  return {
    seed,
    plain,
    keys: Array.from({ length: request.n }, (_, choice) => drawKey(seed, choice)),
    steps: {
      thinking: plain ? tokenSteps(request) : thoughtSteps(served, request, thinking),
      answer: tokenSteps(request),
    },
    rules: rulesFor(served, wanted, promptTokens),
  };
}

/** What keys a choice's draws: a 32-bit number made of the seed and the choice's place, so that rows of any seeds share one dispatch. */
export function drawKey(seed: number, choice: number): number {
  const low = seed >>> 0;
  const high = Math.floor(seed / 2 ** 32) >>> 0;
  return philox([choice, 0, 0, 0], [low, high])[0];
}

/** Tokens that a choice may have at most. */
export const mostTokens = ({ plain, rules }: ChoiceSettings): number =>
  plain ? rules.maxThinking : maxNewTokens(rules);

const randomSeed = (): number => crypto.getRandomValues(new Uint32Array(1))[0];

/** The tokens that may be drawn. Never all left out: what has filters is not remembered for each temperature that ever comes. */
const filtersOf = ({ top_k, top_p, min_p }: SamplingRequest) => ({
  topK: top_k !== undefined && top_k > 0 ? top_k : undefined,
  topP: top_p,
  minP: min_p ?? 0,
});

function tokenSteps(request: SamplingRequest): KeyedSteps {
  const { temperature } = request;
  const filters = filtersOf(request);
  if (temperature === 0) return { thinking: hardThinking(0), key: "greedy" };
  return keyed(hardThinking(temperature, filters), [temperature, filters]);
}

function thoughtSteps(
  { found, defaults }: ServedModel,
  request: SamplingRequest,
  way: AnyWay,
): KeyedSteps {
  const { gamma, tau = defaults.tau } = request.softcot ?? {};
  if (way === "hard" && tau === undefined) return tokenSteps(request);
  const isDrawn = ([...DRAWN_MIXTURES, "mixture-of-inputs"] as string[]).includes(way);
  const options = {
    ...(way === defaults.thinking ? defaults.mixing : {}),
    greedy: request.temperature === 0 && gamma === undefined && !isDrawn,
    gamma: gamma ?? defaults.gamma,
    tau,
    filters: filtersOf(request),
    embeddingRms: way === "hard" ? 0 : found.embeddingRms,
  };
  return keyed(wayOfThinking(way, options), [way, options]);
}

const keyed = (thinking: Thinking, settings: unknown): KeyedSteps => ({
  thinking,
  key: `${thinking.name} ${JSON.stringify(settings)}`,
});

function rulesFor(
  served: ServedModel,
  { request, thinking, maxTokens, field }: Wanted,
  promptTokens: number,
) {
  const { found: { model: { config: { eosTokenIds: endTokenIds } }, tokenizer }, defaults, context } = served;
  const room = context - promptTokens;
  if (thinking === "none") {
    const most = maxTokens ?? Math.min(defaults.maxTokens, room);
    refuseTooLong(promptTokens, Math.max(1, most), context, field);
    return thinkingRules(tokenizer, { maxThinking: most, maxAnswer: 1, endTokenIds });
  }
  const { max_thinking = defaults.maxThinking, answer_tokens = defaults.answerTokens } = request.softcot ??
    {};
  // Half of few tokens are the answer's.
  const most = maxTokens ?? max_thinking + answer_tokens;
  const maxAnswer = Math.min(answer_tokens, Math.max(1, Math.floor(most / 2)));
  const maxThinking = Math.min(max_thinking, Math.max(0, most - maxAnswer));
  const rules = thinkingRules(tokenizer, { maxThinking, maxAnswer, endTokenIds });
  refuseTooLong(promptTokens, maxNewTokens(rules), context, field);
  return rules;
}
