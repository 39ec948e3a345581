/** How far an update is with one of its parts. */
export interface UpdatePart {
  /** What is counted: an update's rollouts, then the micro-batches of its gradient, then rollouts of a validation that follows it. */
  part: "rollouts" | "micro-batches" | "validation";
  /** Ended by now. */
  done: number;
  /** In all; of several learners those of this one. */
  total: number;
  /** Thinking and answer tokens so far, those of unfinished rollouts included; of the update's rollouts alone. */
  tokens?: number;
}
