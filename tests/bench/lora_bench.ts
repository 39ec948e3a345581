/**
 * An update of an adapter beside a full one, in turns on the same rows: seconds of rollouts and update (of the clock, and
 * of all cores, which on the software device tells more where other programs run), their ratios, and the bytes that the
 * device held at most. With another model: fewer and shorter rollouts.
 *
 *     deno run -A tests/bench/lora_bench.ts [--model builtin] [--rank 16] [--repeats 5] [--recompute]
 */
import process from "node:process";
import { table } from "../../cli/terminal/table.ts";
import { promptIds } from "../../eval/questions/prompt_ids.ts";
import { sums } from "../../eval/tasks/sums.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { findModel } from "../../model/files/find_model.ts";
import { generate } from "../../model/generation/generate.ts";
import { addAdapter } from "../../model/lora/add_adapter.ts";
import { zeroParams } from "../../model/transformer/params.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import { gaussianThinking } from "../../model/thinking/gaussian.ts";
import { accumulateGradient } from "../../rl/objective.ts";
import { createLike, createOptimizer, updateModel } from "../../rl/optimizer.ts";
import type { ScoredGroup } from "../../rl/packed_batch.ts";

const value = (name: string, otherwise: string) => {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? otherwise : Deno.args[at + 1];
};
const name = value("model", "builtin");
const rank = Number(value("rank", "16"));
const repeats = Number(value("repeats", "5"));
const recompute = Deno.args.includes("--recompute");
const [questions, group, steps] = name === "builtin" ? [8, 16, 30] : [1, 4, 16];
// Rate 0: both stay the model that they begin as.
const RATES = { lr: 0, warmup: 0, steps: 1, finalLr: 1 };
const OPTIMIZER = { ...RATES, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0, clip: 1 };

async function prepare(lora: boolean) {
  const gpu = await openGpu();
  const { model, tokenizer, embeddingRms } = await findModel(gpu, name);
  const adapter = lora ? addAdapter(model, { rank, alpha: 32 }, 0) : undefined;
  const { config } = model;
  const thinking = gaussianThinking("soft", 0.5, 0.1 * embeddingRms);
  const rules = thinkingRules(tokenizer, { maxThinking: steps, maxAnswer: 4, endTokenIds: [] });
  const prompts = Array.from(
    { length: questions },
    (_, b) => promptIds(tokenizer, sums.prompt(sums.question("train", 0, b).question)),
  );
  const grads = createLike(model, "gradient");
  const optimizer = createOptimizer(gpu, config, adapter);
  const hidden = gpu.arena.create([questions * group, steps, config.hiddenSize], "f32", "hidden");
  const groups = prompts.map((prompt, b): ScoredGroup => ({
    prompt,
    rollouts: Array.from({ length: group }, (_, g) => ({
      id: b * group + g,
      index: b * group + g,
      thinking: Array.from({ length: steps - g % 8 }, (_, t) => t % 70),
      forced: [5],
      answer: [1, 2, 3],
      advantage: g % 2 - 0.5,
    })),
  }));
  return {
    gpu,
    async rollouts(): Promise<void> {
      using scratch = gpu.arena.scratch();
      const rolloutIds = Array.from({ length: questions * group }, (_, i) => i);
      const drawn = { thinking, rules, answerTau: 1, seed: 0, step: 1 };
      await generate(model, tokenizer, { ...drawn, prompts, group, rolloutIds }, scratch);
    },
    async update(): Promise<void> {
      zeroParams(gpu, grads);
      const fetch = accumulateGradient(model, grads, groups, {
        ...{ thinking, hidden, scale: 1 / (questions * group), seed: 0, step: 1 },
        ...{ clipStep: 0, thinkingWeight: 1, recompute },
      });
      updateModel(model, grads, optimizer, OPTIMIZER, 1);
      await gpu.reader.read(optimizer.norm);
      await fetch();
    },
  };
}

const parts = ["rollouts", "update"] as const;
const coreSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const sides = [["full", await prepare(false)], ["lora", await prepare(true)]] as const;
const times = new Map<string, number[]>();
const note = (key: string, seconds: number) => times.set(key, [...times.get(key) ?? [], seconds]);
for (let round = 0; round <= repeats; round++) {
  for (const [side, run] of sides) {
    for (const part of parts) {
      const [started, cores] = [performance.now(), coreSeconds()];
      await run[part]();
      if (round === 0) continue; // kernels are compiled
      note(`${side} ${part}`, (performance.now() - started) / 1000);
      note(`${side} ${part} cores`, coreSeconds() - cores);
    }
  }
}
const median = (key: string) => times.get(key)!.toSorted((a, b) => a - b)[Math.floor(repeats / 2)];
const columns = parts.flatMap((part) => [part, `${part} cores`]);
const rows = sides.map(([side, { gpu }]) => [
  side,
  ...columns.map((column) => median(`${side} ${column}`).toFixed(3)),
  (gpu.arena.peakBytes / 2 ** 20).toFixed(1),
]);
const ratios = columns.map((column) => (median(`lora ${column}`) / median(`full ${column}`)).toFixed(2));
console.log(
  `device: ${
    sides[0][1].gpu.adapter.name
  }; ${name}, rank ${rank}, ${questions} x ${group} rollouts of up to ` +
    `${steps} soft thoughts, ${repeats} rounds, medians`,
);
console.log(table([...rows, ["lora / full", ...ratios, ""]], {
  header: ["training", "rollouts s", "cores", "update s", "cores", "peak MiB"],
  align: ["left"],
}));
for (const [_, { gpu }] of sides) gpu.close();
