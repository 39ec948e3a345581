import { EVALUATION_STEP } from "../eval/evaluate.ts";
import { wayOfThinking } from "../eval/modes.ts";
import { promptIds } from "../eval/prompt_ids.ts";
import { generationEntry } from "../eval/tasks/find_task.ts";
import type { GenerationEntry } from "../eval/tasks/task_entry.ts";
import { boxedContinuation } from "../eval/answer/extract.ts";
import { openGpu } from "../gpu/device.ts";
import { UserError } from "../gpu/errors.ts";
import { findModel, type FoundModel } from "../model/find_model.ts";
import { generate, type GenerateRequest, type Rollout } from "../model/generate.ts";
import { generatedText, thinkingRules } from "../model/thinking_text.ts";
import { flag, integer, type Values } from "./declare.ts";
import { defaultGamma } from "./default_gamma.ts";
import { type Context, defineCommand } from "./define_command.ts";
import { Interrupted } from "./errors.ts";
import { flags } from "./flags.ts";
import { watchInterrupt } from "./interrupt.ts";
import { describeSteps, watchSteps } from "./step_weights.ts";
import { streamText } from "./stream_text.ts";

const settings = {
  model: flags.model,
  task: flags.task,
  thinking: flags.thinking,
  sample: flag("Draw tokens, or noise on the mixtures; otherwise the most probable tokens are taken"),
  samples: integer("Texts to generate; more than one are drawn", { default: 1, min: 1, max: 256 }),
  gamma: { ...flags.gamma, defaultText: "that of the run or of the task's recipe, else 0.33" },
  tau: flags.tau,
  maxThinking: integer("Longest thinking, in tokens", {
    min: 1,
    placeholder: "L",
    defaultText: "the task's",
  }),
  answerTokens: integer("Longest answer, in tokens", { min: 1, defaultText: "the task's" }),
  raw: flag("Only continue the text: no prompt around it, no end of thinking, no answer"),
  maxTokens: integer("Longest continuation with --raw, in tokens", { default: 256, min: 1 }),
  showThinking: flag("Show what each thinking step was made of: its most probable tokens with their weights"),
  seed: flags.seed,
};

type GenerateValues = Values<typeof settings>;

/** `softcot generate`: one question, thought about and answered. */
export const generateCommand = defineCommand({
  description: `Let a model think about a question and answer it, or continue a text.

The text is shown as it comes. Soft and fuzzy thinking feed mixtures of tokens, which have no text of their own: shown \
is their shadow, the most probable token of each step. Without an argument the text is read from the standard input.`,
  arguments: [["[text:string]", "the question (default: read from the standard input)"]],
  settings,
  examples: [
    [
      "A question to the embedded model",
      'softcot generate "Sam has 10 coins. Sam doubles them. How many coins does Sam have?"',
    ],
    [
      "What its soft thoughts are made of",
      'softcot generate --show-thinking "Mia has 3 cards. Mia buys 4 more. How many cards does Mia have?"',
    ],
    [
      "Four drawn answers of a trained run",
      'softcot generate --model runs/sums-hard --thinking hard --samples 4 "..."',
    ],
    [
      "Continue a text",
      'echo -n "Once upon a time" | softcot generate --model runs/sums-soft --raw --thinking hard',
    ],
  ],
  async run(given, context) {
    const text = context.args[0] ?? await readInput();
    if (text.trim() === "") throw new UserError("Cannot generate: the text is empty, a question is needed");
    using watch = watchInterrupt("Stopping. Press Ctrl-C again to stop at once.");
    const gpu = await openGpu();
    try {
      const found = await findModel(gpu, given.model);
      await answer(found, text, { ...given, gamma: noise(given, context) }, context, watch.signal);
    } finally {
      gpu.close();
    }
  },
});

async function readInput(): Promise<string> {
  if (Deno.stdin.isTerminal()) {
    throw new UserError(
      "Cannot generate: no text is given",
      'write it behind the command, softcot generate "...", or pipe it in',
    );
  }
  // The line's end belongs to the shell, not to the question.
  return (await new Response(Deno.stdin.readable).text()).replace(/\r?\n$/, "");
}

function noise({ gamma, model, task }: GenerateValues, { origins }: Context<typeof settings>): number {
  return (origins.gamma === "default" ? defaultGamma(model, task) : undefined) ?? gamma;
}

async function answer(
  found: FoundModel,
  text: string,
  values: GenerateValues,
  context: Context<typeof settings>,
  signal: AbortSignal,
): Promise<void> {
  const { model, tokenizer } = found;
  const task = await generationEntry(values.task);
  const prompt = values.raw ? text : task.prompt(text);
  const request = requestOf(found, task, prompt, values);
  const isLive = !context.json && values.samples === 1;
  const stream = streamText(tokenizer, request.rules, values.raw, isLive ? writeOut : () => {});
  const watcher = values.showThinking ? watchSteps(model, tokenizer, request.thinking) : undefined;
  using scratch = model.gpu.arena.scratch();
  const { rollouts } = await generate(model, tokenizer, {
    ...request,
    onStep: watcher?.onStep,
    onTokens: (slot, part, ids) => {
      if (slot === 0) stream.push(part, ids);
      if (!signal.aborted) return;
      if (isLive) writeOut("\n");
      throw new Interrupted("Stopped.");
    },
  }, scratch);
  stream.end();
  const steps = await watcher?.steps(rollouts);
  const texts = rollouts.map((rollout, i) => ({ ...describe(found, request, rollout), steps: steps?.[i] }));
  const shown = ({ text, steps }: typeof texts[number]) =>
    [...(isLive ? [""] : [text]), ...(steps ? [describeSteps(steps)] : [])].join("\n\n");
  context.print(
    values.samples === 1 ? { prompt, ...texts[0] } : { prompt, samples: texts },
    () => texts.map(shown).join("\n\n"),
  );
}

function requestOf(
  { model, tokenizer, embeddingRms }: FoundModel,
  task: GenerationEntry,
  prompt: string,
  { thinking: kind, raw, sample, samples, gamma, tau, ...values }: GenerateValues,
): GenerateRequest {
  const ids = promptIds(tokenizer, prompt);
  const room = Math.max(1, model.config.maxPosition - ids.length);
  return {
    prompts: [ids],
    group: samples,
    thinking: wayOfThinking(kind, { greedy: !sample && samples === 1, gamma, embeddingRms, tau }),
    rules: thinkingRules(tokenizer, {
      maxThinking: raw ? Math.min(values.maxTokens, room) : values.maxThinking ?? task.limits.maxThinkingEval,
      maxAnswer: values.answerTokens ?? task.limits.answerTokens,
      endTokenIds: model.config.eosTokenIds,
    }),
    answerTau: 0,
    rolloutIds: Uint32Array.from({ length: samples }, (_, i) => i),
    seed: values.seed,
    step: EVALUATION_STEP,
    plain: raw,
  };
}

/** A text as it is told with --json. */
function describe({ tokenizer }: FoundModel, { rules, plain }: GenerateRequest, rollout: Rollout) {
  const thinking = generatedText(tokenizer, rollout.thinking, rules);
  if (plain) return { text: thinking, tokens: rollout.thinking, end: rollout.thinkingEnd };
  const forced = tokenizer.decode(rollout.forced);
  const answer = generatedText(tokenizer, rollout.answer, rules);
  return {
    text: thinking + forced + answer,
    thinking,
    forced,
    answer,
    boxed: boxedContinuation(answer),
    thinkingEnd: rollout.thinkingEnd,
    answerEnd: rollout.answerEnd,
    thinkingTokens: rollout.thinking,
    answerTokens: rollout.answer,
  };
}

function writeOut(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}
