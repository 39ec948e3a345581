import { createHash } from "node:crypto";
import { evaluate, MOST_SAMPLES } from "../eval/evaluate.ts";
import type { ModeResult } from "../eval/mode_result.ts";
import { MODES } from "../eval/modes.ts";
import type { Task } from "../eval/task.ts";
import { openAnyTask, taskEntry, TASKS } from "../eval/tasks/find_task.ts";
import { openGpu } from "../gpu/device.ts";
import { findModel, type FoundModel } from "../model/find_model.ts";
import { choice, choices, integer, number, path, type Values } from "./declare.ts";
import { type Context, defineCommand } from "./define_command.ts";
import { defaultGamma } from "./default_gamma.ts";
import { Interrupted } from "./errors.ts";
import { evalCheckCommand } from "./eval_check.ts";
import { measureChoices, refuseThinking } from "./eval_choices.ts";
import { describeChoices } from "./eval_choices_report.ts";
import { describeEvaluation } from "./eval_report.ts";
import { type Facts, factsOf } from "./facts.ts";
import { flags } from "./flags.ts";
import { watchInterrupt } from "./interrupt.ts";
import { createJsonLines } from "./json_lines.ts";
import { createProgress } from "./progress.ts";

// Of a task without an end: 256 answers tell a share to within 3 in 100.
const ENDLESS = 256;

const settings = {
  model: flags.model,
  data: flags.data,
  mode: choices(MODES, "Ways to run the thinking", {
    default: MODES,
    defaultText: "all six",
    placeholder: "modes",
  }),
  samples: integer("Samples a problem in the sampled modes: pass@k for k up to it", {
    default: 8,
    min: 1,
    max: MOST_SAMPLES,
  }),
  split: choice(["test", "validation", "train"], "Which problems", { default: "test" }),
  limit: integer("Problems to use, from the first", {
    min: 1,
    max: 2 ** 20,
    defaultText: `all, or ${ENDLESS} of an endless task`,
  }),
  gamma: number("Noise on the thinking, in units of RMS(E)", {
    default: 0.33,
    min: 0,
    defaultText: "that of the run or of the task's recipe, else 0.33",
  }),
  maxThinking: integer("Longest thinking, in tokens", {
    min: 1,
    placeholder: "L",
    defaultText: "the task's",
  }),
  answerTokens: integer("Longest answer, in tokens", { min: 1, defaultText: "the task's" }),
  batchRows: integer("Rollouts at once; no result depends on it", { default: 256, min: 1, max: 65536 }),
  shots: integer("Examples with their answers before each question of a choice task", {
    default: 0,
    min: 0,
    max: 64,
  }),
  seed: flags.seed,
  out: path("File for every rollout, as JSON lines", { placeholder: "file", short: "o" }),
};

/** What was measured, and on what: enough to do it again. */
export interface EvaluationReport extends Facts {
  task: { name: string; version: number; promptHash: string };
  split: string;
  questions: number;
  /** Fewer questions than the split holds: not to be compared with full results. */
  limited: boolean;
  samples: number;
  seed: number;
  gamma: number;
  maxThinking: number;
  answerTokens: number;
  modes: ModeResult[];
}

type EvalValues = Values<typeof settings>;

/** `softcot eval`: the six inference modes on a task. */
export const evalCommand = defineCommand({
  description: `Measure how well a model solves a task, in up to six ways of thinking.

Hard thinking writes tokens; soft thinking feeds mixtures of all tokens, fuzzy thinking mixtures that are nearly one \
token. Each is run greedily and with chance; the answer is always greedy. Shown are the share of right answers with its \
standard error (in sampled modes pass@1 over all samples), pass@k, and what the thinking was like.`,
  arguments: [[
    "[task:string]",
    `What to ask: ${TASKS.map(({ name }) => name).join(" or ")} (default: sums)`,
  ]],
  settings,
  examples: [
    ["The embedded model on the embedded task", "softcot eval"],
    ["A trained run, with pass@32", "softcot eval sums --model runs/sums-soft --samples 32"],
    ["One mode, every rollout in a file", "softcot eval sums --mode hard-greedy --out rollouts.jsonl"],
  ],
  async run(given, context) {
    const { data, split, seed } = given;
    const name = context.args[0] ?? "sums";
    if ((await taskEntry(name)).kind === "choice") refuseThinking(name, context.origins);
    const task = await openAnyTask(name, { data, split, seed });
    using lines = createJsonLines(given.out);
    using watch = watchInterrupt("Stopping after this batch. Press Ctrl-C again to stop at once.");
    const gpu = await openGpu();
    try {
      const found = await findModel(gpu, given.model);
      if (task.kind === "choice") {
        const facts = factsOf(gpu, given.model, found);
        const rest = { signal: watch.signal, onRecord: lines.write, quiet: context.quiet };
        const report = await measureChoices(found, task, facts, { ...given, ...rest });
        return context.print(report, () => describeChoices(report));
      }
      const values = withDefaults(given, task, context);
      const modes = await measure(found, task, values, watch.signal, lines.write, context.quiet);
      const report = reportOf(factsOf(gpu, values.model, found), task, values, modes);
      context.print(report, () => describeEvaluation(report));
    } finally {
      gpu.close();
    }
  },
});

evalCommand.command("check", evalCheckCommand);

/** The values with what the task and the model's run say where nobody else does. */
function withDefaults(values: EvalValues, task: Task, { origins }: Context<typeof settings>) {
  const size = task.size(values.split);
  const known = origins.gamma === "default" ? defaultGamma(values.model, task.name) : undefined;
  return {
    ...values,
    gamma: known ?? values.gamma,
    maxThinking: values.maxThinking ?? task.limits.maxThinkingEval,
    answerTokens: values.answerTokens ?? task.limits.answerTokens,
    questions: Math.min(values.limit ?? size ?? ENDLESS, size ?? Infinity),
  };
}

type Resolved = ReturnType<typeof withDefaults>;

async function measure(
  { model, tokenizer, embeddingRms }: FoundModel,
  task: Task,
  { mode, split, out, ...values }: Resolved,
  signal: AbortSignal,
  onRollout: (record: object) => void,
  quiet: boolean,
): Promise<ModeResult[]> {
  const perMode = (name: string) => values.questions * (name.endsWith("greedy") ? 1 : values.samples);
  const total = mode.reduce((sum, name) => sum + perMode(name), 0);
  using progress = createProgress({ label: "eval", total, quiet });
  try {
    return await evaluate(model, tokenizer, task, {
      ...values,
      embeddingRms,
      modes: mode,
      stream: split,
      signal,
      onRollout,
      onProgress: ({ mode, done, accuracy }) => progress.update(done, { mode, accuracy }),
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new Interrupted(out ? `Stopped; the rollouts so far are in ${out}` : "Stopped; nothing was kept.");
  }
}

function reportOf(facts: Facts, task: Task, values: Resolved, modes: ModeResult[]): EvaluationReport {
  const { split, limit, samples, seed, gamma, maxThinking, answerTokens } = values;
  const promptHash = createHash("sha256").update(task.prompt("QUESTION")).digest("hex");
  return {
    task: { name: task.name, version: task.version, promptHash },
    ...facts,
    split,
    questions: modes[0].questions.length,
    limited: limit !== undefined && modes[0].questions.length < (task.size(split) ?? ENDLESS),
    samples,
    seed,
    gamma,
    maxThinking,
    answerTokens,
    modes,
  };
}
