/**
 * softcot trains language models to think in soft tokens by reinforcement, and measures what that does to them: the
 * method of "Soft Tokens, Hard Truths" (arXiv 2509.19170) on WebGPU. This module is what a notebook or another program
 * uses; the command line, `./softcot`, is built on the same functions.
 *
 * Everything starts with a device and a model. {@linkcode evaluate} measures, {@linkcode generate} thinks and answers,
 * {@linkcode trainStep} does one update, {@linkcode train} a whole run with its folder, {@linkcode verify} judges answers.
 *
 * Whole programs, for training with a callback too, are in `examples/`; what a program needs that replaces a part, such as a way of thinking, is in
 * `parts.ts`; what "method section N" means is in `docs/method.md`.
 *
 * @example A model measured in two ways of thinking
 * ```ts
 * import { evaluate, findModel, openGpu, openTask } from "@softcot/softcot";
 *
 * const gpu = await openGpu();
 * const { model, tokenizer, embeddingRms } = await findModel(gpu, "builtin");
 * const results = await evaluate(model, tokenizer, await openTask("sums"), {
 *   modes: ["hard-greedy", "soft-sample"], stream: "test", questions: 8, samples: 2,
 *   gamma: 0.5, embeddingRms, seed: 0,
 * });
 * for (const { mode, accuracy, thinkingLength } of results) console.log(mode, accuracy.value, thinkingLength);
 * gpu.close();
 * ```
 *
 * @module
 */

// Errors: what is the user's to mend, and what the device reported.
export { GpuError, UserError } from "./gpu/errors.ts";

// The device.
export { type GpuOptions, openGpu } from "./gpu/device/open_gpu.ts";

// Models: the embedded one, Hugging Face folders, runs.
export { type PullOptions, pullRepo } from "./model/hub/pull_repo.ts";
export { openModelFiles } from "./model/files/model_files.ts";
export { exportGguf, type ExportOptions, exportSafetensors } from "./model/files/export_model.ts";
export { findModel, type FindModelOptions, type FoundModel } from "./model/files/find_model.ts";
export type { Model } from "./model/transformer/transformer.ts";

// Ways of thinking.
export { type Mode, MODES } from "./eval/modes.ts";
export { wayOfThinking, type WayOptions, WAYS } from "./model/thinking/ways.ts";
export { generatedText, type ThinkingRules, thinkingRules } from "./model/generation/thinking_text.ts";

// Generation.
export { promptOf } from "./eval/questions/prompt_ids.ts";
export { generate } from "./model/generation/generate.ts";
export type { GenerateRequest, Rollout } from "./model/generation/rollout.ts";

// Tasks.
export { openTask } from "./eval/tasks/open_task.ts";
export type { OpenTaskOptions } from "./eval/tasks/task_entry.ts";
export type { GivenQuestion, ScriptTask } from "./eval/tasks/script_task.ts";
export type { Question, Stream, Task } from "./eval/task.ts";

// Measures.
export { evaluate } from "./eval/evaluate.ts";
export type { EvaluateOptions } from "./eval/evaluate_options.ts";
export type { ModeResult } from "./eval/measures/mode_result.ts";
export { type Estimate, pairedChange, passAtK, type QuestionResult } from "./eval/measures/pass_at_k.ts";

// The answer checker.
export { type Verdict, verify, type VerifyOptions } from "./eval/answer/verify.ts";
export { loadEngine } from "./eval/answer/algebra/engine.ts";

// Training: one update, and a run with its folder.
export { createTrainer, type TrainSettings } from "./rl/trainer.ts";
export { trainStep } from "./rl/train_step.ts";
export { localRollouts } from "./rl/local_rollouts.ts";
export { ADVANTAGES } from "./rl/advantage.ts";
export type { StepMetrics } from "./rl/step_metrics.ts";
export { loadRewards, type RewardFunction, type RewardInput } from "./rl/reward.ts";
export { type MetricsLine, train, type TrainHooks, type TrainSchedule } from "./rl/train.ts";
export { createRun, reopenRun } from "./rl/run/run.ts";
export { loadCheckpoint } from "./rl/run/load_checkpoint.ts";
export { freshState, type RunState } from "./rl/run/run_state.ts";
