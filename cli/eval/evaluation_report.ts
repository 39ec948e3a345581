import type { ModeResult } from "../../eval/measures/mode_result.ts";
import type { MixingOptions } from "../../model/thinking/ways.ts";
import type { LongPrompts } from "../../eval/questions/long_prompts.ts";
import type { Stream, TaskData } from "../../eval/task.ts";
import type { Filters } from "../../gpu/ops/choose/filter.ts";
import type { Facts } from "../facts/facts.ts";
import type { WorkersUsed } from "./workers_used.ts";
import type { RunOverlap } from "./run_overlap.ts";

/** How a task that is answered in text is asked. */
export interface Asked {
  split: Stream;
  samples: number;
  seed: number;
  gamma: number;
  /** Temperature of the thinking; absent where each way has its own. */
  tau?: number;
  maxThinking: number;
  answerTokens: number;
  /** Solved examples before each question. */
  shots: number;
  /** The model's chat template stands for the plain prompt. */
  chatTemplate: boolean;
  system?: string;
  /** Tokens that hard-sample may draw, and that the ways for evaluation alone mix; empty: all. */
  filters: Filters;
  /** Numbers of the ways that mix a few tokens; absent where no mode is one. */
  mixing?: MixingOptions;
}

/** What was measured, and on what: enough to do it again. */
export interface EvaluationReport extends Facts, Asked {
  task: { name: string; version: number; promptHash: string; questionsHash: string };
  /** Where the questions were read from, and what was left out; absent where they are made up. */
  data?: TaskData;
  questions: number;
  /** Prompts that were too long for the model's context: left out of the questions, or cut; absent where they are refused. */
  longPrompts?: { how: LongPrompts; prompts: number };
  /** Fewer questions than the split holds: not to be compared with full results. */
  limited: boolean;
  /** What the model's run was trained on; null if it is no run's. */
  trainedOn: RunOverlap | null;
  modes: ModeResult[];
  /** Who made the rollouts, where workers did: those of this process, not those that a folder had from before. */
  workers?: WorkersUsed;
}
