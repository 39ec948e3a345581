import { seededUniform } from "../../../eval/seeded_uniform.ts";

/** How large a made-up run is to be. */
export interface LargeRun {
  updates: number;
  rollouts: number;
  /** Thinking steps of a rollout. */
  steps: number;
}

/** Bytes that are written at once. */
const PIECE = 1 << 22;

/** Writes the folder of a run that was never trained, with as many lines as a very long one: numbers and texts are made up, their forms are softcot's. */
export function writeLargeRun(folder: string, { updates, rollouts, steps }: LargeRun): void {
  Deno.mkdirSync(`${folder}/checkpoints`, { recursive: true });
  const settings = ['task = "sums"', 'thinking = "soft"', `steps = ${updates}`, "seed = 0", "gamma = 0.33"];
  Deno.writeTextFileSync(`${folder}/config.toml`, settings.join("\n") + "\n");
  const uniform = seededUniform(7, 1);
  writeLines(`${folder}/metrics.jsonl`, updates, (i) => JSON.stringify(metricsLine(i + 1, uniform)));
  const tails = Array.from({ length: 200 }, () => JSON.stringify(stepsOf(steps, uniform)).slice(1));
  const group = Math.max(1, Math.round(rollouts / updates));
  writeLines(`${folder}/samples.jsonl`, rollouts, (i) => {
    const step = Math.min(updates, 1 + Math.floor(i / group));
    const head = JSON.stringify(recordHead(step, i % group, group, uniform)).slice(0, -1);
    return `${head},${tails[i % tails.length]}`;
  });
}

function writeLines(path: string, count: number, line: (i: number) => string): void {
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  const encoder = new TextEncoder();
  let text = "";
  for (let i = 0; i < count; i++) {
    text += line(i) + "\n";
    if (text.length < PIECE && i < count - 1) continue;
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    text = "";
  }
}

function metricsLine(step: number, uniform: () => number) {
  const names = [
    ...["reward", "reward_sd", "accuracy", "extracted", "undecided", "unclosed", "triggered", "cut"],
    ...[
      "thinking_tokens",
      "thinking_tokens_p10",
      "thinking_tokens_p90",
      "thinking_tokens_ended",
      "answer_tokens",
    ],
    ...[
      "thinking_entropy",
      "answer_entropy",
      "equal_groups",
      "gradient_norm",
      "lr",
      "spikes",
      "step_norm_max",
    ],
    ...["mismatch_thinking_mean", "mismatch_thinking_max", "mismatch_answer_mean", "mismatch_answer_max"],
    ...["near_ties", "mismatch_near_tie_max", "flips", "rollout_flops", "update_flops"],
  ];
  const times = ["step", "rollout", "grade", "update", "rollout_tokens_per_second", "update_gflops"];
  return {
    step,
    ...Object.fromEntries(names.map((name) => [name, 100 * uniform()])),
    tokens: 4000 + Math.floor(1000 * uniform()),
    time: {
      ...Object.fromEntries(times.map((name) => [name, uniform()])),
      process_peak_bytes: 1e9,
      device_peak_bytes: 2e9,
    },
    tokens_seen: 4500 * step,
    ...(step % 50 === 0 ? { validation_accuracy: 1 - Math.exp(-step / 3e4) * uniform() } : {}),
  };
}

function recordHead(step: number, sample: number, group_size: number, uniform: () => number) {
  const question = `Ann has ${step % 997} shells. Ann finds ${
    step % 89
  } more. How many shells does Ann have?`;
  const correct = uniform() < 0.6;
  return {
    ...{ version: 2, step, group: 0, id: `sums-${(step % 50_000).toString(16).padStart(16, "0")}`, question },
    ...{ gold: String(step % 997 + step % 89), sample, group_size, reward: correct ? 100 : 10 },
    ...{ advantage: uniform() - 0.5, equal: uniform() < 0.1, refilled: false, correct },
    ...{ rule: "exact numbers", boxed: "12", way: "soft", tau: 0.5, continuous: true },
  };
}

function stepsOf(steps: number, uniform: () => number) {
  const id = () => Math.floor(400 * uniform());
  const tokens = Array.from({ length: steps }, id);
  const answer = Array.from({ length: 3 }, id);
  const mixtures = tokens.map((token) => [[token, 0.9123], [id(), 0.0534], [id(), 0.0211], [id(), 0.0042]]);
  const number = () => Number(uniform().toPrecision(5));
  const ids = [...new Set([...tokens, ...answer, ...mixtures.flat().map(([token]) => token)])];
  return {
    thinking: tokens.map((token) => ` w${token}`).join(""),
    ...{ thinking_end: "trigger", forced: " \\boxed{", answer: "12}", answer_end: "brace" },
    ...{
      thinking_tokens: tokens,
      answer_tokens: answer,
      thinking_log_probabilities: tokens.map(() => -number()),
    },
    ...{ thinking_entropies: tokens.map(number), answer_log_probabilities: answer.map(() => -number()) },
    ...{ mixtures, noise: tokens.map(number), surprise: tokens.map(number) },
    pieces: Object.fromEntries(ids.map((token) => [token, ` w${token}`])),
  };
}
