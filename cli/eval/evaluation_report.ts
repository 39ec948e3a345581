import type { Facts } from "../loading/facts.ts";
import type { Filters } from "../../gpu/ops/choose/filter.ts";
import type { ModeResult } from "../../eval/measures/mode_result.ts";
import type { Overlap } from "./run_overlap.ts";
import type { Stream, TaskData } from "../../eval/task.ts";

/** What was measured, and on what: enough to do it again. */
export interface EvaluationReport extends Facts {
  task: { name: string; version: number; promptHash: string; questionsHash: string };
  /** Where the questions were read from, and what was left out; absent where they are made up. */
  data?: TaskData;
  split: Stream;
  questions: number;
  /** Fewer questions than the split holds: not to be compared with full results. */
  limited: boolean;
  samples: number;
  seed: number;
  gamma: number;
  maxThinking: number;
  answerTokens: number;
  /** Solved examples before each question. */
  shots: number;
  /** The model's chat template stood for the plain prompt. */
  chatTemplate: boolean;
  system?: string;
  /** Tokens that hard-sample could draw; empty: all. */
  filters: Filters;
  /** What the model's run was trained on; null if it is no run's. */
  trainedOn: Overlap | null;
  modes: ModeResult[];
}
