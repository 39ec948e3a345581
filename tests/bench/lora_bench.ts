/**
 * An update of an adapter beside a full one, in turns on the same rows: seconds of rollouts and update (of the clock, and
 * of all cores, which on the software device tells more where other programs run), their ratios, and the bytes that the
 * device held at most. With another model: fewer and shorter rollouts.
 *
 *     deno run -A tests/bench/lora_bench.ts [--model builtin] [--rank 16] [--repeats 5] [--recompute]
 */
import process from "node:process";
import { median } from "../../cli/bench/measure.ts";
import { madeUpGroups, repeatedUpdate } from "../../cli/bench/repeated_update.ts";
import { sumsPrompts } from "../../cli/bench/sums_prompts.ts";
import { table } from "../../cli/terminal/table.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { findModel } from "../../model/files/find_model.ts";
import { generate } from "../../model/generation/generate.ts";
import { addAdapter } from "../../model/transformer/adapter.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import { gaussianThinking } from "../../model/thinking/gaussian.ts";

const value = (name: string, otherwise: string) => {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? otherwise : Deno.args[at + 1];
};
const name = value("model", "builtin");
const rank = Number(value("rank", "16"));
const repeats = Number(value("repeats", "5"));
const recompute = Deno.args.includes("--recompute");
const [questions, group, steps] = name === "builtin" ? [8, 16, 30] : [1, 4, 16];

async function prepare(lora: boolean) {
  const gpu = await openGpu();
  const { model, tokenizer, embeddingRms } = await findModel(gpu, name);
  if (lora) addAdapter(model, { rank, alpha: 32 }, 0);
  const { config } = model;
  const thinking = gaussianThinking("soft", 0.5, 0.1 * embeddingRms);
  const rules = thinkingRules(tokenizer, { maxThinking: steps, maxAnswer: 4, endTokenIds: [] });
  const prompts = sumsPrompts(tokenizer, questions);
  const hidden = gpu.arena.create([questions * group, steps, config.hiddenSize], "f32", "hidden");
  const groups = madeUpGroups(prompts, group, (g) => steps - g % 8, config.usedVocabSize);
  const update = repeatedUpdate(model, groups, thinking, hidden, recompute);
  return {
    gpu,
    async rollouts(): Promise<void> {
      using scratch = gpu.arena.scratch();
      const rolloutIds = Array.from({ length: questions * group }, (_, i) => i);
      const drawn = { thinking, rules, answerTau: 1, seed: 0, step: 1 };
      await generate(model, tokenizer, { ...drawn, prompts, group, rolloutIds }, scratch);
    },
    async update(): Promise<void> {
      const fetch = update.record();
      await gpu.reader.read(update.optimizer.norm);
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
const medianOf = (key: string) => median(times.get(key)!);
const columns = parts.flatMap((part) => [part, `${part} cores`]);
const rows = sides.map(([side, { gpu }]) => [
  side,
  ...columns.map((column) => medianOf(`${side} ${column}`).toFixed(3)),
  (gpu.arena.peakBytes / 2 ** 20).toFixed(1),
]);
const ratios = columns.map((column) => (medianOf(`lora ${column}`) / medianOf(`full ${column}`)).toFixed(2));
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
