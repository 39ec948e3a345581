import { boxedContinuation } from "../../eval/answer/box.ts";
import type { FoundModel } from "../../model/files/find_model.ts";
import { generate } from "../../model/generation/generate.ts";
import type { Part, Rollout } from "../../model/generation/rollout.ts";
import { detectTrigger, generatedText, type ThinkingRules } from "../../model/generation/thinking_text.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import type { Print } from "../settings/define_command.ts";
import { Interrupted } from "../terminal/interrupt.ts";
import type { GenerateValues } from "./generate_settings.ts";
import { streamText } from "./stream_text.ts";
import type { TextRequest } from "./text_request.ts";
import { createStepWatcher, describeSteps } from "./step_watcher.ts";
import { stream } from "../terminal/print.ts";

/** How results are told. */
interface Output {
  json: boolean;
  print: Print;
}

/** A rollout that may not have come to its end. */
type Generated = Pick<Rollout, "index" | "thinking" | "answer"> & Partial<Rollout>;

/**
 * Generates, and writes one text as it comes, several or JSON when they are there.
 * @throws Interrupted after a signal, when what was generated till then has been written
 */
export async function showGenerated(
  found: FoundModel,
  asked: TextRequest,
  values: Pick<GenerateValues, "raw" | "samples" | "showThinking">,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const { model, tokenizer } = found;
  const { request, prompt, fromNothing } = asked;
  const isLive = !output.json && values.samples === 1;
  const write = isLive ? stream : () => {};
  const live = streamText(tokenizer, request.rules, values.raw, write, !fromNothing);
  const watcher = values.showThinking ? createStepWatcher(model, tokenizer, request.thinking) : undefined;
  const heard: Generated[] = Array.from({ length: values.samples }, (_, index) => ({
    ...{ index, thinking: [], answer: [] },
  }));
  const onTokens = (index: number, part: Part, ids: readonly number[]) => {
    heard[index][part] = [...ids];
    if (index === 0) live.push(part, ids);
  };
  const tell = async (rollouts: readonly Generated[]) => {
    live.end();
    const steps = await watcher?.steps(rollouts);
    const texts = rollouts.map((rollout, i) => ({ ...describe(found, asked, rollout), steps: steps?.[i] }));
    const shown = ({ text, steps }: typeof texts[number]) =>
      [...(isLive ? [""] : [text]), ...(steps ? [describeSteps(steps)] : [])].join("\n\n");
    output.print({ prompt, samples: texts }, () => texts.map(shown).join("\n\n"));
  };
  using scratch = model.gpu.arena.scratch();
  let rollouts: Rollout[];
  try {
    ({ rollouts } = await generate(model, tokenizer, {
      ...request,
      onStep: watcher?.onStep,
      onTokens,
      signal,
    }, scratch));
  } catch (error) {
    if (!signal.aborted) throw error;
    await tell(heard);
    throw new Interrupted("Stopped.");
  }
  await tell(rollouts);
}

/** A text as it is told with --json; its ends are absent where it was stopped. */
function describe(
  { tokenizer }: FoundModel,
  { request: { rules, plain }, fromNothing }: TextRequest,
  of: Generated,
) {
  const thinking = generatedText(tokenizer, of.thinking, rules, !fromNothing);
  if (plain) return { text: thinking, tokens: of.thinking, end: of.thinkingEnd };
  const forced = tokenizer.decode(of.forced ?? forcedSoFar(tokenizer, rules, of), true);
  const answer = generatedText(tokenizer, of.answer, rules);
  return {
    text: thinking + forced + answer,
    thinking,
    forced,
    answer,
    boxed: boxedContinuation(answer),
    thinkingEnd: of.thinkingEnd,
    answerEnd: of.answerEnd,
    thinkingTokens: of.thinking,
    answerTokens: of.answer,
  };
}

/** What was forced into a rollout that was stopped. */
function forcedSoFar(tokenizer: Tokenizer, rules: ThinkingRules, { thinking }: Generated): readonly number[] {
  const detector = detectTrigger(tokenizer, rules);
  for (const id of thinking) detector.push(id);
  return detector.forced ? rules.forcedIds[detector.forced] : [];
}
