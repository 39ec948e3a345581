/**
 * What keeping rollouts costs: one update of the embedded model on the embedded task at the recipe's settings, done again and again at a learning
 * rate of 0, with its first two groups kept and without, in turns: all do the same work.
 *
 *     deno run -A tests/bench/samples_bench.ts [--ways soft,hard,multiplex,covariance,neighbours] [--rounds 15]
 *
 * Shown are the seconds of the update without and with, by the best of the rounds, which is the steadiest on a busy machine; those of the pass alone;
 * how much longer it takes with; what that comes to where every tenth update keeps some; bytes of a kept rollout; megabytes of 320 updates.
 */
import { parseArgs } from "node:util";
import { table } from "../../cli/terminal/table.ts";
import { sums } from "../../eval/tasks/sums.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { findModel } from "../../model/files/find_model.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import { type Way, wayOfThinking } from "../../model/thinking/ways.ts";
import { reserveTraining } from "../../rl/memory/reserve_training.ts";
import { trainStep } from "../../rl/train_step.ts";
import { localTrainer } from "../rl/support/local_trainer.ts";
import { trainSettings } from "../rl/support/train_settings.ts";

const { values } = parseArgs({
  options: {
    ways: { type: "string", default: "soft,hard,multiplex,covariance,neighbours" },
    rounds: { type: "string", default: "15" },
  },
});
const [EVERY, GROUPS, UPDATES] = [10, 2, 320];
const KEPT = 1 + UPDATES / EVERY;

const gpu = await openGpu();
const rows: string[][] = [];
for (const way of values.ways.split(",") as Way[]) {
  const { model, tokenizer, embeddingRms } = await findModel(gpu, "builtin");
  const thinking = wayOfThinking(way, { greedy: false, gamma: 0.5, embeddingRms });
  const { maxThinking, answerTokens: maxAnswer } = sums.limits;
  const rules = thinkingRules(tokenizer, { maxThinking, maxAnswer, endTokenIds: model.config.eosTokenIds });
  const settings = trainSettings({
    questions: 8,
    group: 16,
    lr: 0,
    steps: 1000,
    sampleEvery: 1,
    sampleGroups: GROUPS,
  });
  const kept = localTrainer({ model, tokenizer, task: sums, thinking, rules, settings });
  const plain = { ...kept, settings: { ...settings, sampleEvery: 0 } };
  await reserveTraining(kept);
  const seconds: Record<"kept" | "plain" | "pass", number[]> = { kept: [], plain: [], pass: [] };
  const bytes: number[] = [];
  for (let step = 0; step <= Number(values.rounds); step++) {
    // Whoever is second finds caches warm: they take turns in that, too.
    for (const name of step % 2 === 0 ? ["plain", "kept"] as const : ["kept", "plain"] as const) {
      const started = performance.now();
      const update = await trainStep({ kept, plain }[name], 1);
      // The first pair makes the kernels.
      if (step === 0) continue;
      seconds[name].push((performance.now() - started) / 1000);
      if (!update.kept) continue;
      seconds.pass.push(update.metrics.time.samples!);
      bytes.push(...update.kept.map((one) => new TextEncoder().encode(JSON.stringify(one) + "\n").length));
    }
  }
  const best = {
    kept: Math.min(...seconds.kept),
    plain: Math.min(...seconds.plain),
    pass: Math.min(...seconds.pass),
  };
  const ratio = best.kept / best.plain;
  const mean = bytes.reduce((sum, one) => sum + one, 0) / bytes.length;
  rows.push([
    way,
    `${best.plain.toFixed(3)} s`,
    `${best.kept.toFixed(3)} s`,
    `${(1000 * best.pass).toFixed(0)} ms`,
    `${(100 * (ratio - 1)).toFixed(1)}%`,
    `${(100 * (ratio - 1) / EVERY).toFixed(2)}%`,
    `${mean.toFixed(0)}`,
    `${(KEPT * GROUPS * settings.group * mean / 1e6).toFixed(2)} MB`,
  ]);
}
gpu.close();
console.log(table(rows, {
  header: ["way", "plain", "kept", "the pass", "longer", "of all", "bytes a rollout", `${UPDATES} updates`],
  align: ["left", ...Array<"right">(7).fill("right")],
}));
