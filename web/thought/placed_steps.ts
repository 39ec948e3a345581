import type { RolloutView, Step } from "../data/view_data.ts";

/** A step with where it belongs. */
export interface PlacedStep {
  step: Step;
  part: "thinking" | "answer";
  /** From 1, within its part. */
  number: number;
}

/** All steps of a rollout, thinking first. */
export function placedSteps({ thought, answer }: RolloutView): PlacedStep[] {
  const placed = (part: PlacedStep["part"], steps: readonly Step[]) =>
    steps.map((step, i) => ({ step, part, number: i + 1 }));
  return [...placed("thinking", thought), ...placed("answer", answer)];
}
