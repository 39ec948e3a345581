/**
 * What it costs or wins to read a stride's tokens behind the next stride, in turns on the same rollouts: seconds of the
 * embedded model's rollouts in each way of thinking, fed by the embedded task.
 *
 *     deno run -A tests/bench/read_behind_bench.ts [--rounds 7] [--ways hard,soft,fuzzy]
 */
import { parseArgs } from "node:util";
import { table } from "../../cli/table.ts";
import { wayOfThinking } from "../../eval/modes.ts";
import { promptIds } from "../../eval/prompt_ids.ts";
import { sums } from "../../eval/tasks/sums.ts";
import { openGpu } from "../../gpu/device.ts";
import { findModel } from "../../model/find_model.ts";
import { generate } from "../../model/generation/generate.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "7" }, ways: { type: "string", default: "hard,soft,fuzzy" } },
});
const [questions, group] = [8, 16];
const gpu = await openGpu();
const { model, tokenizer, embeddingRms } = await findModel(gpu, "builtin");
const rules = thinkingRules(tokenizer, {
  ...{ maxThinking: 52, maxAnswer: 5, endTokenIds: model.config.eosTokenIds },
});

async function seconds(way: "hard" | "soft" | "fuzzy", step: number, readBehind: boolean): Promise<number> {
  using scratch = gpu.arena.scratch();
  const prompts = Array.from(
    { length: questions },
    (_, b) => promptIds(tokenizer, sums.prompt(sums.question("train", 0, step * questions + b).question)),
  );
  const started = performance.now();
  await generate(model, tokenizer, {
    ...{ prompts, group, rules, readBehind, step, seed: 0, answerTau: 1 },
    thinking: wayOfThinking(way, { greedy: false, gamma: 0.1, embeddingRms }),
    rolloutIds: Array.from({ length: questions * group }, (_, i) => i),
  }, scratch);
  return (performance.now() - started) / 1000;
}

const rows: string[][] = [];
for (const way of values.ways.split(",") as ("hard" | "soft" | "fuzzy")[]) {
  const ratios: number[] = [];
  const times = { at: [] as number[], behind: [] as number[] };
  for (let round = 0; round <= Number(values.rounds); round++) {
    // Who goes first changes from round to round.
    const [first, second] = round % 2 ? [true, false] : [false, true];
    const took = new Map([[first, await seconds(way, round, first)], [
      second,
      await seconds(way, round, second),
    ]]);
    if (round === 0) continue; // kernels are compiled
    times.at.push(took.get(false)!);
    times.behind.push(took.get(true)!);
    ratios.push(took.get(true)! / took.get(false)!);
  }
  const sum = (list: number[]) => list.reduce((total, value) => total + value, 0);
  const sorted = ratios.toSorted((a, b) => a - b);
  rows.push([
    way,
    (sum(times.at) / ratios.length).toFixed(3),
    (sum(times.behind) / ratios.length).toFixed(3),
    (sum(times.behind) / sum(times.at)).toFixed(3),
    sorted[Math.floor(sorted.length / 2)].toFixed(3),
    ratios.map((ratio) => ratio.toFixed(2)).join(" "),
  ]);
}
console.log(`device: ${gpu.adapter.name}; ${questions} x ${group} rollouts, ${values.rounds} rounds`);
console.log(table(rows, {
  header: ["thinking", "s, at once", "s, behind", "behind / at once", "median", "each round"],
}));
gpu.close();
