/** What the curves show without being asked, and how metrics are called. */

/** A picture of one metric, or of several that belong together. */
export interface Panel {
  /** Its keys joined by +, as addresses have them. */
  name: string;
  title: string;
  /** Metrics by their keys, told apart by strokes. */
  keys: readonly string[];
  /** Drawn as points where they are there. */
  points?: string;
  unit: string;
  from?: number;
  to?: number;
}

const share = { from: 0, to: 1, unit: "share" };
const nats = { from: 0, unit: "nats" };

/** The method's own pictures, in their order; those without any data are left out. */
export const PANELS: readonly Panel[] = [
  panel(["accuracy"], "Right answers, and validation (points)", { ...share, points: "validation_accuracy" }),
  panel(["reward"], "Reward", { unit: "mean of the rollouts", from: 0 }),
  panel(["thinking_tokens"], "Length of the thinking", { unit: "steps a rollout", from: 0 }),
  panel(["thinking_entropy"], "Entropy of the thinking", nats),
  panel(["answer_entropy"], "Entropy of the answer", nats),
  panel(["gradient_norm"], "Gradient norm before clipping", { unit: "norm", from: 0 }),
  panel(["gradient_norm_thinking", "gradient_norm_answer"], "Gradient norms", {
    ...{ unit: "norm; full: thinking, broken: answer", from: 0 },
  }),
  panel(["mismatch_thinking_max", "mismatch_answer_max"], "Mismatch, largest", {
    ...{ unit: "nats; full: thinking, broken: answer", from: 0 },
  }),
  panel(["ratio_thinking_mean", "ratio_answer_mean"], "Importance ratio of older rollouts, mean", {
    ...{ unit: "ratio; full: thinking, broken: answer", from: 0 },
  }),
  panel(["ratio_thinking_truncated", "ratio_answer_truncated"], "Importance ratios that were truncated", {
    ...{ ...share, unit: "share; full: thinking, broken: answer" },
  }),
  panel(["equal_groups"], "Groups without a difference", share),
];

const TITLES: Readonly<Record<string, string>> = {
  accuracy: "Right answers",
  reward_sd: "Standard deviation of the reward",
  extracted: "Answers in a box",
  triggered: "Thinking ended by its trigger",
  cut: "Thinking cut at its limit",
  thinking_tokens_p10: "Length of the thinking, shortest tenth",
  thinking_tokens_p90: "Length of the thinking, longest tenth",
  thinking_tokens_ended: "Length of the thinking that was ended",
  answer_tokens: "Length of the answer",
  tokens: "Tokens an update",
  lr: "Learning rate",
  "time.step": "Seconds an update",
  "time.rollout": "Seconds of the rollouts",
  "time.update": "Seconds of the gradient",
  "time.rollout_tokens_per_second": "Tokens a second of the rollouts",
  "time.update_gflops": "GFLOP/s of the update",
  "time.process_peak_bytes": "Memory of the process, peak",
  "time.device_peak_bytes": "Memory of the device, peak",
  validation_accuracy: "Validation",
};

function panel(keys: readonly string[], title: string, more: Omit<Panel, "keys" | "title" | "name">): Panel {
  return { name: keys.join("+"), keys, title, ...more };
}

/** How a metric is called. */
export const titleOf = (key: string): string =>
  PANELS.find(({ keys }) => keys.length === 1 && keys[0] === key)?.title ?? TITLES[key] ?? key;

/** The panel of a name: one of the method's own, or of one metric, or of several that are joined by +. */
export function panelOf(name: string): Panel {
  const own = PANELS.find((each) => each.name === name);
  const keys = name.split("+").filter((key) => key !== "");
  const unit = keys.length > 1 ? `strokes: ${keys.map(titleOf).join(", ")}` : "";
  return own ?? panel(keys, keys.map(titleOf).join(", "), { unit });
}
