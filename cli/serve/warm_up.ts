import { EVALUATION_STEP } from "../../eval/evaluate_options.ts";
import { EngineFailedError } from "../../model/serving/admission.ts";
import { createEngine } from "../../model/serving/engine.ts";
import { STRIDE } from "../../model/transformer/stride_steps.ts";
import { ApiError } from "./api_error.ts";
import { parseRequest, samplingRequest } from "./sampling_request.ts";
import { choiceSettings, mostTokens } from "./sequence_settings.ts";
import type { ServedModel } from "./served_model.ts";

/** Rows of a prompt of which kernels for many rows are compiled. */
const PROMPT = 160;
/** Rows of the prompts of a crowd. */
const SHORT = 8;

/**
 * Has the kernels of ordinary requests compiled by such requests, alone and in crowds of any size: drivers compile at the first use, which takes
 * seconds on some devices, and whoever asked first would wait. It runs on an engine of its own, of whose work nothing is left but that.
 *
 * @param atOnce choices of the largest crowd
 * @throws what the device failed with
 */
export async function warmUp(served: ServedModel, atOnce: number): Promise<void> {
  const { found: { model, tokenizer }, context, defaults } = served;
  const request = parseRequest(samplingRequest, { seed: 0, softcot: { max_thinking: 1, answer_tokens: 1 } });
  const settingsOf = (thinking: typeof defaults.thinking) =>
    choiceSettings(served, { request, thinking, maxTokens: thinking === "none" ? 1 : 2, field: "prompt" }, 1);
  const continued = settingsOf("none");
  const ways = [
    continued,
    ...defaults.thinking === "none" ? [] : ifItFits(() => settingsOf(defaults.thinking)),
  ];
  const most = Math.max(...ways.map(mostTokens)) + STRIDE;
  const engine = createEngine(model, tokenizer, {
    ...{ seed: 0, step: EVALUATION_STEP, atOnce, context, mostWaiting: 1 },
    cacheRows: Math.min(served.engine.figures().cacheRows, PROMPT + most + atOnce * (SHORT + most)),
  });
  const idOf = (_: unknown, i: number) => i % model.config.usedVocabSize;
  const run = (settings: typeof continued, choices: number, promptTokens: number) =>
    engine.submit({
      ...settings,
      request: {},
      prompt: Array.from({ length: Math.max(1, Math.min(promptTokens, context - most)) }, idOf),
      keys: Array.from({ length: choices }, (_, choice) => choice),
      observed: { logits: false, mixture: false },
      signal: new AbortController().signal,
      onTokens: () => false,
      onAnswer() {},
      onEnd() {},
    });
  try {
    for (const settings of ways) await run(settings, 1, PROMPT);
    for (const choices of [...powersBelow(atOnce), atOnce]) await run(continued, choices, SHORT);
  } catch (error) {
    throw error instanceof EngineFailedError ? error.cause : error;
  } finally {
    await engine.close();
  }
}

/** A context may be too short for any thinking. */
function ifItFits<T>(make: () => T): T[] {
  try {
    return [make()];
  } catch (error) {
    if (error instanceof ApiError) return [];
    throw error;
  }
}

function powersBelow(most: number): number[] {
  const powers: number[] = [];
  for (let power = 2; power < most; power *= 2) powers.push(power);
  return powers;
}
