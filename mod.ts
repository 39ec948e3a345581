/**
 * softcot trains language models to think in soft tokens by reinforcement, and measures what that does to them: the
 * method of "Soft Tokens, Hard Truths" (arXiv 2509.19170) on WebGPU. This module is what a notebook or another program
 * uses; the command line, `./softcot`, is built on the same functions.
 *
 * Everything starts with a device and a model. {@linkcode evaluate} measures, {@linkcode generate} thinks and answers,
 * {@linkcode trainStep} does one update, {@linkcode train} a whole run with its folder, {@linkcode verify} judges answers.
 *
 * @example Two updates with soft thinking, measured before and after
 * ```ts
 * import {
 *   createTrainer,
 *   evaluate,
 *   findModel,
 *   localRollouts,
 *   openGpu,
 *   openTask,
 *   thinkingRules,
 *   trainStep,
 *   wayOfThinking,
 * } from "@softcot/softcot";
 *
 * const gpu = await openGpu();
 * const { model, tokenizer, embeddingRms } = await findModel(gpu, "builtin");
 * const task = await openTask("sums");
 * const thinking = wayOfThinking("soft", { greedy: false, gamma: 0.5, embeddingRms });
 * const rules = thinkingRules(tokenizer, {
 *   maxThinking: task.limits.maxThinking,
 *   maxAnswer: task.limits.answerTokens,
 *   endTokenIds: model.config.eosTokenIds,
 * });
 * const parts = { model, tokenizer, task, thinking, rules };
 * const trainer = createTrainer({
 *   ...parts,
 *   source: localRollouts({ ...parts, group: 8, seed: 0 }),
 *   settings: {
 *     questions: 4, group: 8, seed: 0, microRows: 8192, recompute: false,
 *     steps: 2, lr: 3e-5, warmup: 1, finalLr: 0.1,
 *     beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0,
 *     clip: 1, clipStep: 0, thinkingWeight: 1,
 *   },
 * });
 * const measure = () =>
 *   evaluate(model, tokenizer, task, {
 *     modes: ["hard-greedy", "soft-sample"], stream: "test", questions: 8, samples: 2,
 *     gamma: 0.5, embeddingRms, seed: 0,
 *   });
 *
 * const before = await measure();
 * for (const step of [1, 2]) {
 *   const { metrics } = await trainStep(trainer, step);
 *   console.log(step, metrics.reward, metrics.thinking_tokens, metrics.mismatch_thinking_max);
 * }
 * const after = await measure();
 * before.forEach(({ mode, accuracy }, i) => console.log(mode, accuracy.value, after[i].accuracy.value));
 * gpu.close();
 * ```
 *
 * @module
 */

// Errors: what is the user's to mend, and what the device reported.
export { DeviceLostError, GpuError, OutOfMemoryError, UserError } from "./gpu/errors.ts";

// The device, and what its types are made of.
export { type AdapterFacts, type WorkgroupLimits } from "./gpu/adapter.ts";
export { type Gpu, type MatmulFamily } from "./gpu/gpu.ts";
export { type GpuOptions, openGpu } from "./gpu/device/open_gpu.ts";
export type { Arena, Scratch } from "./gpu/arena.ts";
export type { Commands } from "./gpu/commands.ts";
export type { ErrorLog } from "./gpu/error_log.ts";
export type { Pipeline } from "./gpu/pipeline.ts";
export type { Matrix, WeightType } from "./gpu/matrix.ts";
export type { QuantType } from "./gpu/quantised.ts";
export type { TunedTile, Tuning } from "./gpu/tuning.ts";
export { WEIGHT_FORMS, type WeightForm } from "./model/weights/weight_types.ts";
export type { KernelTime, Profile } from "./gpu/profile.ts";
export type { Reader } from "./gpu/reader.ts";
export type { DType, Storage, Tensor } from "./gpu/tensor.ts";
export type { StepRecord } from "./gpu/ops/choose/choose.ts";

// Models: the embedded one, Hugging Face folders, runs, and new ones.
export { type PulledRepo, type PullOptions, type PullProgress, pullRepo } from "./model/hub/pull_repo.ts";
export { cachedSnapshot } from "./model/hub/hub_cache.ts";
export { type RepoKind } from "./model/hub/repo_id.ts";
export type { Hub } from "./model/hub/hub.ts";
export { type ModelFiles, openModelFiles } from "./model/files/model_files.ts";
export type { TensorEntry, TensorFile } from "./model/formats/tensor_file.ts";
export {
  exportGguf,
  type ExportOptions,
  exportSafetensors,
  type ExportSource,
} from "./model/files/export_model.ts";
export { findModel, type FindModelOptions, type FoundModel } from "./model/files/find_model.ts";
export { type LoadedModel, saveModel } from "./model/files/save_model.ts";
export { type ModelExtras } from "./model/files/model_extras.ts";
export type { ModelConfig, RopeScaling } from "./model/transformer/config.ts";
export { createModel, freeModel, type Model } from "./model/transformer/transformer.ts";
export { initialise } from "./model/transformer/initialise.ts";
export {
  countParams,
  type Gradients,
  type LargeMatrix,
  type LayerParams,
  type Params,
  type Trainable,
  type WeightTypes,
} from "./model/transformer/params.ts";

// Adapters of low rank (LoRA): a model that has one trains that alone.
export {
  type AdaptedProjection,
  type Adapter,
  addAdapter,
  type BaseModel,
  type LoraSettings,
} from "./model/transformer/adapter.ts";
export { type Fused, type LoraPair, type LoraParams } from "./model/transformer/lora_params.ts";
export { loadAdapter } from "./model/lora/load_adapter.ts";
export { saveAdapter } from "./model/lora/save_adapter.ts";
export { mergeAdapter } from "./model/lora/merge_adapter.ts";
export type { PartStarts } from "./gpu/ops/lora/block_diagonal.ts";
export { builtinTokenizer } from "./model/builtin/builtin_tokenizer.ts";
export { loadTokenizer, type Tokenizer } from "./model/tokenizer/tokenizer.ts";
export { type SpecialToken } from "./model/tokenizer/special_tokens.ts";
export { type TokenizerFiles } from "./model/tokenizer/tokenizer_files.ts";
export {
  type ChatMessage,
  type ChatTemplate,
  chatTemplate,
  type Prompt,
} from "./model/tokenizer/chat_template.ts";
export type { Filters } from "./gpu/ops/choose/filter.ts";

// Ways of thinking: what an own one must implement is `Thinking`.
export { ALL_MODES, type InferenceMode, inferenceMode, type Mode, MODES } from "./eval/modes.ts";
export {
  type AnyWay,
  type MixingOptions,
  THINKING_TAU,
  UNTRAINED_WAYS,
  type Way,
  wayOfThinking,
  type WayOptions,
  WAYS,
} from "./model/thinking/ways.ts";
export { type FewTokens, type Weighting, WEIGHTINGS } from "./gpu/ops/few/few_tokens.ts";
export { NOISE_PLACES, type NoisePlace } from "./model/thinking/noise_on.ts";
export { hardThinking } from "./model/thinking/hard.ts";
export { gaussianThinking } from "./model/thinking/gaussian.ts";
export type { RowInput, ScoreInput, StepGradients, StepInput, Thinking } from "./model/thinking/thinking.ts";
export {
  type AnswerEnd,
  FORCED_TEXTS,
  type ForcedKind,
  generatedText,
  type ThinkingEnd,
  type ThinkingRules,
  thinkingRules,
  TRIGGER,
} from "./model/generation/thinking_text.ts";

// Generation.
export { promptIds, promptOf, type PromptOptions, promptOptions } from "./eval/questions/prompt_ids.ts";
export { generate } from "./model/generation/generate.ts";
export { generateJobs, type JobOutput } from "./model/generation/generate_jobs.ts";
export type {
  GeneratedBatch,
  GenerateRequest,
  GenerationJob,
  GenerationSettings,
  ObservedStep,
  Part,
  Rollout,
  StepStats,
} from "./model/generation/rollout.ts";

// Tasks.
export { generationEntry, openAnyTask, openTask, taskEntry } from "./eval/tasks/open_task.ts";
export { TASKS } from "./eval/tasks/tasks.ts";
export type {
  ChoiceEntry,
  EntryFacts,
  GenerationEntry,
  OpenTaskOptions,
  TaskEntry,
} from "./eval/tasks/task_entry.ts";
export type { GivenQuestion, GivenQuestions, ScriptTask } from "./eval/tasks/script_task.ts";
export { type TrainedOn, type TrainingOverlap, trainingOverlap } from "./eval/tasks/training_overlap.ts";
export type { ChoiceQuestion, ChoiceTask } from "./eval/choices/choice_task.ts";
export type { DataSource } from "./eval/data/data_source.ts";
export { readRows } from "./eval/data/read_rows.ts";
export { type Row, type RowValue } from "./eval/data/row.ts";
export {
  type Checking,
  type Grade,
  gradeBox,
  paperPrompt,
  type Question,
  type Stream,
  type Task,
  type TaskData,
  type TaskLimits,
} from "./eval/task.ts";

// Measures.
export { type ChoiceOptions, evaluateChoices } from "./eval/choices/evaluate_choices.ts";
export type {
  ChoiceMeasures,
  ChoiceRecord,
  ChoiceResult,
  NamedMeasures,
} from "./eval/choices/choice_result.ts";
export { evaluate } from "./eval/evaluate.ts";
export { type EvaluateOptions, type EvaluationProgress } from "./eval/evaluate_options.ts";
export type { AskOptions, PreparedQuestions } from "./eval/questions/prepare_questions.ts";
export { createGrader, gradeInPlace, type Grader, type Submission } from "./eval/grader.ts";
export type { ModeResult } from "./eval/measures/mode_result.ts";
export type { EntropyRow } from "./eval/measures/entropy_profile.ts";
export type { RolloutRecord } from "./eval/results/rollout_record.ts";
export {
  type Estimate,
  pairedChange,
  passAtK,
  passAtKOver,
  type QuestionResult,
} from "./eval/measures/pass_at_k.ts";

// The answer checker.
export {
  parseAnswer,
  type ParsedAnswer,
  type Verdict,
  verify,
  type VerifyOptions,
} from "./eval/answer/verify.ts";
export { loadEngine } from "./eval/answer/algebra/engine.ts";
export { boxedContinuation, lastBox } from "./eval/answer/box.ts";
export {
  type AnswerPair,
  type AnswerPool,
  createAnswerPool,
  type PoolCounts,
  type PoolOptions,
} from "./eval/answer/answer_pool.ts";
export type { Extraction } from "./eval/answer/extract_answer.ts";
export type { Apply as AnswerOperation, Node as AnswerNode, RelationOp } from "./eval/answer/node.ts";
export type { Rational } from "./eval/answer/rational.ts";
export type { Precision } from "./eval/answer/compare/tolerance.ts";

// Training: one update, a run with its folder, and supervised training.
export { createTrainer, type Diagnosis, type Trainer, type TrainSettings } from "./rl/trainer.ts";
export type { Diagnosed } from "./rl/diagnose.ts";
export type { Divergence } from "./rl/divergence.ts";
export { trainStep } from "./rl/train_step.ts";
export {
  type GradedRollout,
  type RolloutBatch,
  type RolloutGroup,
  type RolloutSource,
} from "./rl/rollout_source.ts";
export { type LocalRollouts, localRollouts } from "./rl/local_rollouts.ts";
export { type AdvantageKind, ADVANTAGES, advantagesOf, leaveOneOut } from "./rl/advantage.ts";
export type { Optimizer, OptimizerSettings } from "./rl/optimizer.ts";
export type { StepMetrics, StepTime } from "./rl/step_metrics.ts";
export type { Mismatch } from "./rl/mismatch.ts";
export { loadRewards, type Reward, type RewardFunction, type RewardInput } from "./rl/reward.ts";
export { type MetricsLine, train, type TrainHooks, type TrainSchedule } from "./rl/train.ts";
export type { KeptRollout, ToldRollout } from "./rl/samples/kept_rollout.ts";
export type { KeptSteps, MixedToken } from "./eval/results/kept_steps.ts";
export { createRun, type Reopened, reopenRun, type Run } from "./rl/run/run.ts";
export { loadCheckpoint } from "./rl/run/load_checkpoint.ts";
export { type RunState } from "./rl/run/run_state.ts";
export { type SftSettings, type SftStep, trainSupervised } from "./rl/train_supervised.ts";
