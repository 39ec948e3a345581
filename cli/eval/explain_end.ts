import { DeviceLostError, OutOfMemoryError, UserError } from "../../gpu/errors.ts";
import { toldAdapter } from "../../gpu/adapter.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { openModelFiles } from "../../model/files/model_files.ts";
import { dryThinking, generationNeed } from "../../model/memory/generation_memory.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import { planWeights, type WeightForm } from "../../model/weights/weight_types.ts";
import { describeShortage } from "../terminal/describe_shortage.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import { memoryAtEnd } from "../vulkan/memory_at_end.ts";

/** What was generated when its device ended. */
interface Generating {
  model: string;
  weights: WeightForm;
  /** Rollouts at once, and the flag that says how many. */
  batchRows: number;
  rowsFlag: string;
  maxThinking?: number;
  answerTokens?: number;
  /** What is kept, and how to go on. */
  goOn: string;
}

/** What is told of an evaluation or a generation that ended by an error: of a device without memory, what would fit. */
export async function explainEnd(error: unknown, gpu: Gpu, work: Generating): Promise<unknown> {
  const why = await gpu.errors.explain(error);
  const end = (what: string, hint: string) =>
    new UserError(`Cannot go on: the device ${toldAdapter(gpu.adapter)} ${what}`, hint);
  if (why instanceof DeviceLostError) {
    return end(
      `was lost (${why.message})`,
      `${work.goOn}; if it happens again, the kernel's log (dmesg) may say why`,
    );
  }
  if (!(why instanceof OutOfMemoryError)) return why;
  return end(
    `has ${describeShortage(why)}`,
    `end what else uses the device, or ask for less: ${await whatWouldFit(gpu, work, memoryAtEnd(gpu, why))}`,
  );
}

/** A prompt and a context as they often are, where the task does not say. */
const USUAL = { prompt: 256, thinking: 128, answer: 32 };

/** The first of some smaller requests that fits into so many bytes: fewer rollouts at once, then smaller weights, too. */
async function whatWouldFit(gpu: Gpu, work: Generating, free: number): Promise<string> {
  using files = openModelFiles(work.model);
  const { config, weights: file } = files;
  const forms = [...new Set<WeightForm>([work.weights, "f16", "packed"])];
  const least = { total: Infinity, flags: "" };
  for (const form of forms) {
    const types = typesOf(() => planWeights(config, file, form, work.model).types);
    if (types === undefined) continue;
    for (const rows of new Set([64, 8, 1].map((most) => Math.min(most, Math.ceil(work.batchRows / 4))))) {
      const shape = {
        ...lengthsOf(config, work),
        prompts: rows,
        group: 1,
        atOnce: rows,
        thinking: dryThinking("soft"),
      };
      const { total } = await generationNeed(config, shape, types, { facts: gpu, free });
      const flags = `${form === work.weights ? "" : `--weights ${form} `}${
        work.batchRows > 1 ? `${work.rowsFlag} ${rows}` : ""
      }`;
      if (total <= free) return `${flags.trim()} needs about ${inBytes(total)}`;
      if (total < least.total) Object.assign(least, { total, flags: flags.trim() });
    }
  }
  const beside = least.flags && ` with ${least.flags}`;
  return `even${beside} it is about ${
    inBytes(least.total)
  }: take a smaller model or a device with more memory`;
}

function lengthsOf({ maxPosition }: ModelConfig, { maxThinking, answerTokens }: Generating) {
  const own = Math.floor(maxPosition / 3);
  return {
    promptTokens: Math.min(USUAL.prompt, own),
    maxThinking: Math.min(maxThinking ?? USUAL.thinking, own),
    answerTokens: Math.min(answerTokens ?? USUAL.answer, own),
  };
}

/** Undefined where weights cannot be of a form. */
function typesOf<T>(plan: () => T): T | undefined {
  try {
    return plan();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
