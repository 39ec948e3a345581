/**
 * One training step of the embedded model's shape: rollouts of equal length in each way of thinking, and the update.
 *
 *     deno run -A tests/bench/step_bench.ts [--repeats 5] [--profile]
 *
 * Ways of thinking take turns within each repeat, so that their ratio does not depend on the machine's load.
 */
import { median } from "../../cli/bench/measure.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { builtinConfig } from "../../model/builtin/builtin_model.ts";
import { builtinTokenizer } from "../../model/builtin/builtin_tokenizer.ts";
import { gaussianThinking } from "../../model/thinking/gaussian.ts";
import { hardThinking } from "../../model/thinking/hard.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import { sums } from "../../eval/tasks/sums.ts";
import { trainStep } from "../../rl/train_step.ts";
import { table } from "../../cli/terminal/table.ts";
import { randomModel } from "../model/support/small_models.ts";
import { localTrainer } from "../rl/support/local_trainer.ts";
import { trainSettings } from "../rl/support/train_settings.ts";

const repeats = Number(Deno.args[Deno.args.indexOf("--repeats") + 1] || 5);
const profile = Deno.args.includes("--profile");

const gpu = await openGpu({ profile });
const tokenizer = builtinTokenizer();
// Of random weights: it never writes the trigger, so all rollouts have full length.
const model = randomModel(gpu, { ...builtinConfig(), eosTokenIds: [] });
const rules = thinkingRules(tokenizer, { maxThinking: 40, maxAnswer: 5, endTokenIds: [] });
// Random rewards: every group has a signal.
let coin = 0;
const task = {
  ...sums,
  grade: () => ({ reward: (coin++ % 3 ? 10 : 100) as 10 | 100, correct: false, answer: "", rule: null }),
};
const ways = {
  hard: hardThinking(1),
  soft: gaussianThinking("soft", 0.5, 0.01),
  fuzzy: gaussianThinking("fuzzy", 1e-4, 0.01),
};
const settings = trainSettings({ questions: 8, group: 16 });
const trainers = Object.entries(ways).map(([name, thinking]) => ({
  name,
  trainer: localTrainer({ model, tokenizer, task, thinking, rules, settings }),
  rollout: [] as number[],
  update: [] as number[],
  gflops: [] as number[],
}));
for (let repeat = 0; repeat <= repeats; repeat++) {
  for (const each of trainers) {
    const { metrics } = await trainStep(each.trainer, repeat + 1);
    if (repeat === 0) continue; // kernels are compiled
    each.rollout.push(metrics.time.rollout);
    each.update.push(metrics.time.update);
    each.gflops.push(metrics.time.update_gflops);
  }
}
console.log(`device: ${gpu.adapter.name}; 8 x 16 rollouts of 40 thinking tokens; medians of ${repeats}`);
const ratio = (values: number[]) => median(values.map((value, i) => value / trainers[0].rollout[i]));
console.log(table(
  trainers.map(({ name, rollout, update, gflops }) => [
    name,
    median(rollout).toFixed(3),
    ratio(rollout).toFixed(3),
    median(update).toFixed(3),
    median(gflops).toFixed(1),
  ]),
  { header: ["thinking", "rollout s", "ratio to hard", "update s", "update GFLOP/s"] },
));
if (profile) {
  const report = await gpu.profile.report();
  const total = report.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
  console.log(table(
    report.map(({ label, nanoseconds, dispatches }) => [
      label,
      dispatches,
      (nanoseconds / 1e6).toFixed(1),
      (nanoseconds / dispatches / 1e3).toFixed(1),
      (100 * nanoseconds / total).toFixed(1),
    ]),
    { header: ["kernel", "dispatches", "ms", "us each", "%"] },
  ));
}
gpu.close();
