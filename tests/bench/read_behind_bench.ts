/**
 * What it costs or wins to read a stride's tokens behind the next stride, in turns on the same rollouts of the embedded model and
 * task in each way of thinking: seconds of the clock, and of all cores, which on the software device tell more where other
 * programs run.
 *
 *     deno run -A tests/bench/read_behind_bench.ts [--rounds 7] [--ways hard,soft,fuzzy]
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { sumsPrompts } from "../../cli/bench/sums_prompts.ts";
import { table } from "../../cli/terminal/table.ts";
import { wayOfThinking } from "../../model/thinking/ways.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { findModel } from "../../model/files/find_model.ts";
import { generate } from "../../model/generation/generate.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "7" }, ways: { type: "string", default: "hard,soft,fuzzy" } },
});
const rounds = Number(values.rounds);
const [questions, group] = [8, 16];
const gpu = await openGpu();
const { model, tokenizer, embeddingRms } = await findModel(gpu, "builtin");
const endTokenIds = model.config.eosTokenIds;
const rules = thinkingRules(tokenizer, { maxThinking: 52, maxAnswer: 5, endTokenIds });

type Way = "hard" | "soft" | "fuzzy";
type Clock = "clock" | "cores";

/** Seconds of one batch of rollouts. */
async function measure(way: Way, step: number, readBehind: boolean): Promise<Record<Clock, number>> {
  using scratch = gpu.arena.scratch();
  const prompts = sumsPrompts(tokenizer, questions, step * questions);
  const [started, before] = [performance.now(), process.cpuUsage()];
  await generate(model, tokenizer, {
    ...{ prompts, group, rules, readBehind, step, seed: 0, answerTau: 1 },
    thinking: wayOfThinking(way, { greedy: false, gamma: 0.1, embeddingRms }),
    rolloutIds: Array.from({ length: questions * group }, (_, i) => i),
  }, scratch);
  const { user, system } = process.cpuUsage(before);
  return { clock: (performance.now() - started) / 1000, cores: (user + system) / 1e6 };
}

const sum = (list: readonly number[]) => list.reduce((total, value) => total + value, 0);
const rows: string[][] = [];
for (const way of values.ways.split(",") as Way[]) {
  const taken: Record<Clock, number>[][] = [];
  for (let round = 0; round <= rounds; round++) {
    // Who goes first changes from round to round.
    const order = round % 2 ? [1, 0] : [0, 1];
    const both: Record<Clock, number>[] = [];
    for (const behind of order) both[behind] = await measure(way, round, behind === 1);
    if (round > 0) taken.push(both); // before, kernels are compiled
  }
  for (const clock of ["clock", "cores"] as const) {
    const ratios = taken.map(([at, behind]) => behind[clock] / at[clock]);
    const total = [0, 1].map((i) => sum(taken.map((both) => both[i][clock])));
    rows.push([
      way,
      clock,
      ...total.map((seconds) => (seconds / rounds).toFixed(3)),
      (total[1] / total[0]).toFixed(3),
      ratios.map((ratio) => ratio.toFixed(2)).join(" "),
    ]);
  }
}
console.log(`device: ${gpu.adapter.name}; ${questions} x ${group} rollouts, ${rounds} rounds`);
console.log(
  table(rows, { header: ["thinking", "seconds of", "at once", "behind", "behind / at once", "each round"] }),
);
gpu.close();
