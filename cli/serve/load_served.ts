import { basename } from "node:path";
import project from "../../deno.json" with { type: "json" };
import { EVALUATION_STEP } from "../../eval/evaluate_options.ts";
import { plainPrompt, promptIds, withInstruction } from "../../eval/questions/prompt_ids.ts";
import type { Task } from "../../eval/task.ts";
import { generationEntry } from "../../eval/tasks/open_task.ts";
import { UserError } from "../../gpu/errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { findWatched } from "../terminal/find_watched.ts";
import type { FoundModel } from "../../model/files/find_model.ts";
import { isThere } from "../../model/files/on_disk.ts";
import { mostCacheRows, mostStepRows } from "../../model/memory/cache_budget.ts";
import { createEngine } from "../../model/serving/engine.ts";
import { type ChatMessage, type ChatTemplate, chatTemplate } from "../../model/tokenizer/chat_template.ts";
import { STRIDE } from "../../model/transformer/stride_steps.ts";
import { contextOf } from "../../model/transformer/transformer.ts";
import { defaultGamma } from "../defaults/default_gamma.ts";
import { defaultTask } from "../defaults/default_task.ts";
import { mixingValues } from "../defaults/mixing_values.ts";
import { promptValues } from "../defaults/prompt_values.ts";
import { runValues } from "../defaults/run_values.ts";
import type { Origin } from "../settings/resolve_config.ts";
import { ApiError } from "./api_error.ts";
import { refuseManyCharacters, refuseTextBeyond } from "./refuse_too_long.ts";
import type { ServedModel } from "./served_model.ts";
import type { ServeValues } from "./serve_settings.ts";
import { warmUp } from "./warm_up.ts";

const MOST_CONTEXT = 8192;

/** Rows of the cache that a choice has on average: few texts are as long as the context. */
const ROWS_EACH = 1024;

/** Loads what is served, starts its engine, and has its kernels compiled. */
export async function loadServed(
  gpu: Gpu,
  values: ServeValues,
  origins: Record<keyof ServeValues, Origin>,
  quiet: boolean,
): Promise<ServedModel> {
  const found = await findWatched(gpu, values.model, values, { quiet });
  const trained = values.adapter ?? values.model;
  const task = origins.task === "default" ? defaultTask(trained, found.tokenizer) : values.task;
  const { prompt, limits } = await generationEntry(task);
  const thinking = values.thinking;
  const gamma = (origins.gamma === "default" ? defaultGamma(trained, task) : undefined) ?? values.gamma;
  const atOnce = choicesAtOnce(gpu, found, values, origins);
  const rows = Math.min(
    mostCacheRows(gpu, found.model.config),
    atOnce * (contextOf(found.model) + STRIDE),
  );
  const mostContext = Math.min(contextOf(found.model), rows - STRIDE);
  if (values.context !== undefined && values.context > mostContext) {
    throw new UserError(
      `Cannot serve texts of ${values.context} tokens: ${mostContext} are the most of this model on this device`,
      `ask for less: --context ${mostContext}`,
    );
  }
  const context = Math.min(values.context ?? MOST_CONTEXT, mostContext);
  const cacheRows = Math.min(
    rows,
    Math.max(context + STRIDE, atOnce * Math.min(context + STRIDE, ROWS_EACH)),
  );
  const engine = createEngine(found.model, found.tokenizer, {
    seed: 0,
    step: EVALUATION_STEP,
    atOnce,
    cacheRows,
    context,
    mostWaiting: values.queue,
  });
  const served: ServedModel = {
    found,
    engine,
    // Of a path here clients need no more than the last part.
    name: isThere(values.model) ? basename(values.model) : values.model,
    created: Math.floor(Date.now() / 1000),
    fingerprint: `softcot-${project.version}`,
    context,
    defaults: {
      thinking,
      gamma,
      tau: values.tau,
      maxThinking: values.maxThinking ?? limits.maxThinkingEval,
      answerTokens: values.answerTokens ?? limits.answerTokens,
      maxTokens: values.maxTokens,
      mixing: thinking === "none" ? {} : mixingValues(values, origins, [thinking], trained),
    },
    promptOf: promptMaker(found, context, { prompt }, templateOf(found, trained, values, origins)),
  };
  if (!values.cold) await warmUp(served, atOnce);
  return served;
}

/**
 * Choices at once, of which each tensor has to be within what the device binds.
 * @throws UserError if more were asked for
 */
function choicesAtOnce(
  gpu: Gpu,
  { model }: FoundModel,
  { atOnce }: ServeValues,
  origins: Record<keyof ServeValues, Origin>,
): number {
  const most = mostStepRows(gpu, model.config);
  if (atOnce <= most || origins.atOnce === "default") return Math.min(atOnce, most);
  throw new UserError(
    `Cannot generate ${atOnce} choices at once: this device binds the logits of ${most} of this model, fewer are needed`,
    `ask for less: --at-once ${most}`,
  );
}

/** The chat template to use: as the flag says, else as the model's run was trained, else where there is one. */
function templateOf(
  { tokenizer }: FoundModel,
  trained: string,
  { chatTemplate: wanted }: ServeValues,
  origins: Record<keyof ServeValues, Origin>,
): { chat?: ChatTemplate; system?: string } {
  const isSaid = origins.chatTemplate !== "default";
  const { chatTemplate: isTrained, system } = promptValues(
    { model: trained, chatTemplate: wanted },
    { chatTemplate: origins.chatTemplate, system: "default" },
  );
  const isRun = Object.keys(runValues(trained)).length > 0;
  if (isSaid ? !wanted : isRun && !isTrained) return {};
  try {
    return { chat: chatTemplate(tokenizer), system };
  } catch (error) {
    if (isSaid || isRun) throw error;
    return {};
  }
}

/** Puts conversations to the model: by its template, or a single question in its task's plain prompt. */
function promptMaker(
  { tokenizer }: FoundModel,
  context: number,
  task: Pick<Task, "prompt">,
  { chat, system }: { chat?: ChatTemplate; system?: string },
): ServedModel["promptOf"] {
  const look = (text: string) => refuseTextBeyond(tokenizer, text, context, "messages");
  return async (messages, instructed) => {
    refuseManyCharacters(messages.map(({ content }) => content), context, "messages");
    if (!chat) {
      const [only] = messages;
      if (messages.length === 1 && only.role === "user") {
        const text = await plainPrompt(task, only.content);
        look(text);
        return { text, ids: promptIds(tokenizer, text) };
      }
      throw new ApiError(
        400,
        "Cannot take a conversation: this model has no chat template, a single message of the user is needed",
        "messages",
      );
    }
    const last = messages.at(-1)!;
    const isAsked = instructed && last.role === "user";
    const said: ChatMessage[] = isAsked
      ? [...messages.slice(0, -1), { ...last, content: withInstruction(last.content) }]
      : [...messages];
    if (system !== undefined && said[0].role !== "system") said.unshift({ role: "system", content: system });
    return chat.render(said, look);
  };
}
