import { ValidationError } from "@cliffy/command";
import { DRAWN_MIXTURES, UNTRAINED_WAYS } from "../../model/thinking/ways.ts";
import { isGreedy as isGreedyMode, wayOf } from "../../eval/modes.ts";
import type { Origin } from "../settings/resolve_config.ts";
import { withGpu } from "../vulkan/with_gpu.ts";
import { UserError } from "../../gpu/errors.ts";
import { explainEnd } from "../eval/explain_end.ts";
import { defaultGamma } from "../defaults/default_gamma.ts";
import { defaultTask } from "../defaults/default_task.ts";
import { mixingValues } from "../defaults/mixing_values.ts";
import { modelOrBase } from "../defaults/model_or_base.ts";
import { promptValues } from "../defaults/prompt_values.ts";
import { runNotes } from "../defaults/run_notes.ts";
import { defineCommand } from "../settings/define_command.ts";
import { refuseIdleMixing } from "../settings/refuse_idle_mixing.ts";
import { findWatched } from "../terminal/find_watched.ts";
import { watchInterrupt } from "../terminal/interrupt.ts";
import { generateSettings, type GenerateValues } from "./generate_settings.ts";
import { showGenerated } from "./show_generated.ts";
import { isGreedy, textRequest } from "./text_request.ts";
import { say } from "../terminal/print.ts";

/** `softcot generate`: one question, thought about and answered. */
export const generateCommand = defineCommand({
  description: `Let a model think about a question and answer it, or continue a text.

The text is shown as it comes. Soft and fuzzy thinking feed mixtures of tokens, which have no text of their own: shown \
is their shadow, the most probable token of each step. Without an argument the text is read from the standard input.`,
  arguments: [["[text:string]", "the question (default: read from the standard input)"]],
  settings: generateSettings,
  opensDevice: true,
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
    ["The same way of thinking as a mode of softcot eval", 'softcot generate --mode soft-sample "..."'],
    [
      "A question in the form of the model's chat template",
      'softcot generate --model HuggingFaceTB/SmolLM2-135M-Instruct --chat-template "What is 2 + 2?"',
    ],
    [
      "Continue a text",
      'echo -n "Once upon a time" | softcot generate --model runs/sums-soft --raw --thinking hard',
    ],
  ],
  async run(all, context) {
    const values = byMode(all, context.origins);
    checkUsage(values);
    refuseIdleMixing([values.thinking], context.origins, values.noiseOn);
    const given = { ...values, model: modelOrBase(values, context.origins) };
    const text = context.args[0] ?? await readInput();
    if (!given.raw && text.trim() === "") {
      throw new UserError(
        "Cannot generate: the text is empty, a question is needed",
        'ask one: softcot generate "..."; --raw continues a text',
      );
    }
    // An adapter's run says how it was trained, its base model does not.
    const trained = given.adapter ?? given.model;
    const { origins } = context;
    const put = promptValues({ ...given, model: trained }, origins);
    if (!context.quiet) runNotes(trained, origins).forEach(say);
    await withGpu(
      async (gpu) => {
        const found = await findWatched(gpu, given.model, given, context);
        const task = origins.task === "default" ? defaultTask(trained, found.tokenizer) : given.task;
        const gamma = (origins.gamma === "default" ? defaultGamma(trained, task) : undefined) ?? given.gamma;
        const mixing = mixingValues(given, origins, [given.thinking], trained);
        const how = { ...given, task, gamma, ...put, ...mixing };
        const asked = await textRequest(found, text, how);
        if (asked.isCut && !context.quiet) {
          say("warning  the text is longer than the model's context leaves room for: cut in its middle");
        }
        using watch = watchInterrupt("Stopping. Press Ctrl-C again to stop at once.");
        await showGenerated(found, asked, how, context, watch.signal);
      },
      {},
      (error, gpu) => {
        const how = { ...given, batchRows: given.samples, rowsFlag: "--samples", goOn: "ask again" };
        return explainEnd(error, gpu, how);
      },
    );
  },
});

/** The values with what a mode says; it stands for --thinking and --sample. */
function byMode(values: GenerateValues, origins: Record<keyof GenerateValues, Origin>): GenerateValues {
  const { mode } = values;
  if (mode === undefined) return values;
  const given = (["thinking", "sample"] as const).find((name) => origins[name] === "flag");
  if (given !== undefined) {
    throw new ValidationError(
      `--mode ${mode} says how to think and whether by chance: --${given} has no place beside it.`,
    );
  }
  return { ...values, thinking: wayOf(mode), sample: !isGreedyMode(mode) };
}

/** Ways without a greedy form: their steps are draws. */
const DRAWN: readonly string[] = [...DRAWN_MIXTURES, "mixture-of-inputs"];

/** What can be told to be wrong before anything is opened. */
function checkUsage(
  { raw, chatTemplate, thinking, sample, samples, topK, topP, minP, mode, maxThinking, answerTokens }:
    GenerateValues,
): void {
  if (mode !== undefined && isGreedyMode(mode) && samples > 1) {
    throw new ValidationError(`--mode ${mode} draws nothing: --samples ${samples} has no place there.`);
  }
  if (raw && chatTemplate) {
    throw new ValidationError("--raw takes the text as it is: --chat-template has no place there.");
  }
  const limit = maxThinking !== undefined
    ? "--max-thinking"
    : answerTokens !== undefined
    ? "--answer-tokens"
    : "";
  if (raw && limit) {
    throw new ValidationError(`--raw goes on with a text for --max-tokens: ${limit} has no place there.`);
  }
  const drawn = !isGreedy({ sample, samples });
  const filters = [topK, topP, minP].some((value) => value !== undefined);
  const untrained = (UNTRAINED_WAYS as readonly string[]).includes(thinking);
  if (filters && !untrained && (thinking !== "hard" || !drawn)) {
    throw new ValidationError(
      "--top-k, --top-p and --min-p choose among tokens that are drawn: --thinking hard --sample is needed, or a way that " +
        `mixes what they leave: ${UNTRAINED_WAYS.join(", ")}.`,
    );
  }
  if (DRAWN.includes(thinking) && !drawn) {
    throw new ValidationError(`--thinking ${thinking} draws the tokens of its steps: --sample is needed.`);
  }
  if (thinking === "soft-thinking" && drawn) {
    throw new ValidationError(
      "--thinking soft-thinking draws nothing: --sample and --samples have no place there.",
    );
  }
}

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
