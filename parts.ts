/**
 * What softcot is made of, for programs that replace a part: a device's buffers and commands, weights, kernels' inputs and outputs as a way of thinking
 * of one's own gets them, tokenizers, files of models and data, the checker's trees. `mod.ts` is what most programs need; what is here may change
 * with any version.
 *
 * @module
 */

// Errors of the device.
export { DeviceLostError, OutOfMemoryError } from "./gpu/errors.ts";

// The device, and what its types are made of.
export type { AdapterFacts, WorkgroupLimits } from "./gpu/adapter.ts";
export type { Gpu, MatmulFamily } from "./gpu/gpu.ts";
export type { Arena, Scratch } from "./gpu/arena.ts";
export type { Commands } from "./gpu/commands.ts";
export type { ErrorLog } from "./gpu/error_log.ts";
export type { Pipeline } from "./gpu/pipeline.ts";
export type { Matrix, WeightType } from "./gpu/matrix.ts";
export type { PanelType } from "./gpu/panels.ts";
export type { QuantType } from "./gpu/quantised.ts";
export type { TunedTile, Tuning } from "./gpu/tuning.ts";
export { WEIGHT_FORMS, type WeightForm } from "./model/weights/weight_types.ts";
export type { KernelTime, Profile } from "./gpu/profile.ts";
export type { LentPieces, Piece, Reader } from "./gpu/reader.ts";
export type { DType, Storage, Tensor } from "./gpu/tensor.ts";
export type { StepRecord } from "./gpu/ops/choose/choose.ts";

// Models: the embedded one, Hugging Face folders, runs, and new ones.
export type { PulledRepo, PullProgress } from "./model/hub/pull_repo.ts";
export { cachedSnapshot } from "./model/hub/hub_cache.ts";
export type { RepoKind } from "./model/hub/repo_id.ts";
export type { Hub } from "./model/hub/hub.ts";
export type { ModelFiles } from "./model/files/model_files.ts";
export type { TensorEntry, TensorFile } from "./model/formats/tensor_file.ts";
export type { ExportSource } from "./model/files/export_model.ts";
export type { ModelExtras } from "./model/files/model_extras.ts";
export { type LoadedModel, saveModel } from "./model/files/save_model.ts";
export type { ModelConfig, RopeScaling } from "./model/transformer/config.ts";
export { createModel, freeModel } from "./model/transformer/transformer.ts";
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
export type { Fused, LoraPair, LoraParams } from "./model/transformer/lora_params.ts";
export { loadAdapter } from "./model/lora/load_adapter.ts";
export { saveAdapter } from "./model/lora/save_adapter.ts";
export { mergeAdapter } from "./model/lora/merge_adapter.ts";
export type { PartStarts } from "./gpu/ops/lora/block_diagonal.ts";
export { builtinTokenizer } from "./model/builtin/builtin_tokenizer.ts";
export { loadTokenizer, type Tokenizer } from "./model/tokenizer/tokenizer.ts";
export type { SpecialToken } from "./model/tokenizer/special_tokens.ts";
export type { TokenizerFiles } from "./model/tokenizer/tokenizer_files.ts";
export {
  type ChatMessage,
  type ChatTemplate,
  chatTemplate,
  type Prompt,
} from "./model/tokenizer/chat_template.ts";
export type { Filters } from "./gpu/ops/choose/filter.ts";
export type { RolloutsProgress } from "./model/generation/generate.ts";

// Ways of thinking: what an own one must implement is `Thinking`.
export { ALL_MODES, type InferenceMode, inferenceMode } from "./eval/modes.ts";
export {
  type AnyWay,
  type MixingOptions,
  THINKING_TAU,
  UNTRAINED_WAYS,
  type Way,
} from "./model/thinking/ways.ts";
export { type FewTokens, type Weighting, WEIGHTINGS } from "./gpu/ops/few/few_tokens.ts";
export { NOISE_PLACES, type NoisePlace } from "./model/thinking/noise_on.ts";
export { hardThinking } from "./model/thinking/hard.ts";
export { gaussianThinking } from "./model/thinking/gaussian.ts";
export type {
  NoiseInput,
  RowInput,
  ScoreInput,
  StepGradients,
  StepInput,
  Thinking,
} from "./model/thinking/thinking.ts";
export type { OlderActions } from "./model/thinking/importance.ts";
export {
  type AnswerEnd,
  FORCED_TEXTS,
  type ForcedKind,
  type ThinkingEnd,
  TRIGGER,
} from "./model/generation/thinking_text.ts";

// Generation.
export { promptIds, type PromptOptions, promptOptions } from "./eval/questions/prompt_ids.ts";
export {
  type AskedJobs,
  generateJobs,
  type JobOutput,
  type JobRunner,
} from "./model/generation/generate_jobs.ts";
export type {
  GeneratedBatch,
  GenerationJob,
  GenerationSettings,
  ObservedStep,
  Part,
  StepStats,
} from "./model/generation/rollout.ts";

// Tasks.
export { generationEntry, openAnyTask, taskEntry } from "./eval/tasks/open_task.ts";
export { TASKS } from "./eval/tasks/tasks.ts";
export type { ChoiceEntry, EntryFacts, GenerationEntry, TaskEntry } from "./eval/tasks/task_entry.ts";
export type { GivenGrade, GivenQuestions } from "./eval/tasks/script_task.ts";
export { startOwnCode } from "./eval/own_code/own_code.ts";
export type { OwnGrant, OwnRights } from "./eval/own_code/own_process.ts";
export { type TrainedOn, type TrainingOverlap, trainingOverlap } from "./eval/tasks/training_overlap.ts";
export type { ChoiceQuestion, ChoiceTask } from "./eval/choices/choice_task.ts";
export type { DataSource } from "./eval/data/data_source.ts";
export { readRows } from "./eval/data/read_rows.ts";
export type { Row, RowValue } from "./eval/data/row.ts";
export {
  type Checking,
  type Grade,
  gradeBox,
  paperPrompt,
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
export type { EvaluationProgress } from "./eval/evaluate_options.ts";
export type { AskOptions, PreparedQuestions } from "./eval/questions/prepare_questions.ts";
export { LONG_PROMPTS, type LongPrompts, type PromptRoom } from "./eval/questions/long_prompts.ts";
export { createGrader, gradeInPlace, type Grader, type Submission } from "./eval/grader.ts";
export type { EntropyRow } from "./eval/measures/entropy_profile.ts";
export type { RolloutRecord } from "./eval/results/rollout_record.ts";
export { passAtKOver } from "./eval/measures/pass_at_k.ts";

// The answer checker.
export { parseAnswer, type ParsedAnswer } from "./eval/answer/verify.ts";
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
export { actorOf, type Diagnosis, type Trainer } from "./rl/trainer.ts";
export type { UpdatePart } from "./rl/update_part.ts";
export { type Behind, createBehind } from "./rl/behind.ts";
export type { Importance } from "./rl/importance.ts";
export type { Diagnosed } from "./rl/diagnose.ts";
export type { Divergence } from "./rl/divergence.ts";
export type { GradedRollout, RolloutBatch, RolloutGroup, RolloutSource } from "./rl/rollout_source.ts";
export type { LocalRollouts } from "./rl/local_rollouts.ts";
export { type AdvantageKind, advantagesOf, leaveOneOut } from "./rl/advantage.ts";
export type { Optimizer, OptimizerSettings } from "./rl/optimizer.ts";
export type { StepTime } from "./rl/step_metrics.ts";
export type { Mismatch, OtherDevice } from "./rl/mismatch.ts";
export type { Reward } from "./rl/reward.ts";
export type { KeptRollout, ToldRollout } from "./rl/samples/kept_rollout.ts";
export type { KeptSteps, MixedToken } from "./eval/results/kept_steps.ts";
export type { Reopened, Run } from "./rl/run/run.ts";
export {
  type Demonstrations,
  type SftKeeper,
  type SftMoments,
  type SftSettings,
  type SftStep,
  trainSupervised,
} from "./rl/train_supervised.ts";
export type { SavedTrainer } from "./rl/run/sets_beside.ts";
export type { Update } from "./rl/train_step.ts";
export type { Place, ShardedOptimizer } from "./rl/cluster/sharded_optimizer.ts";
export type { Learners, Spent } from "./rl/cluster/learners.ts";
export type { WorkersTimed, WorkerTime } from "./rl/workers/worker_time.ts";
export type { LearnerTime, StepPeaks, StepSeconds } from "./rl/cluster/gather_clock.ts";
