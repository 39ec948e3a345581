import type { ToldRollout } from "../../rl/samples/kept_rollout.ts";

/** What is shown of a rollout. */
type Shown = Pick<
  ToldRollout,
  "step" | "question" | "gold" | "thinking" | "forced" | "answer" | "boxed" | "reward"
>;

/** One rollout of an update, in a few lines. */
export function describeSample(
  { step, question, gold, thinking, forced, answer, boxed, reward }: Shown,
): string {
  const verdict = boxed === null ? "nothing extracted" : `${boxed}, right is ${gold}`;
  return [
    `step ${step}: ${oneLine(question)}`,
    `  ${oneLine(thinking + forced + answer)}`,
    `  ${verdict}: reward ${reward}`,
  ].join("\n");
}

/** Start and end of a long text: how a thought begins and how it ends tell the most. */
function oneLine(text: string): string {
  const flat = text.trim().replaceAll(/\s+/g, " ");
  return flat.length <= 400 ? flat : `${flat.slice(0, 250)} ... ${flat.slice(-140)}`;
}
