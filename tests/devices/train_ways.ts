/**
 * A program: three updates of the embedded model in each way of thinking, with the kernels of both families; what each came to, a line of JSON.
 *
 *     deno run -A tests/devices/train_ways.ts [--steps 3] [--ways hard,soft] [--families tile]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { sums } from "../../eval/tasks/sums.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import type { Gpu, MatmulFamily } from "../../gpu/gpu.ts";
import { findModel } from "../../model/files/find_model.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import { wayOfThinking, WAYS } from "../../model/thinking/ways.ts";
import { freeModel } from "../../model/transformer/transformer.ts";
import { trainStep } from "../../rl/train_step.ts";
import { localTrainer } from "../rl/support/local_trainer.ts";
import { freeTrainer } from "../rl/support/small_trainer.ts";
import { trainSettings } from "../rl/support/train_settings.ts";

/** What a training came to. */
export interface WayTrained {
  way: string;
  family: MatmulFamily;
  lanes: number;
  /** The largest of all kinds and steps; null where one is no number. */
  mismatch: number | null;
  /** Mean reward of each step. */
  rewards: number[];
  gradientNorms: number[];
}

async function train(gpu: Gpu, way: typeof WAYS[number], steps: number): Promise<WayTrained> {
  const { model, tokenizer, embeddingRms } = await findModel(gpu, "builtin");
  const { maxThinking, answerTokens: maxAnswer } = sums.limits;
  const trainer = localTrainer({
    ...{ model, tokenizer, task: sums },
    thinking: wayOfThinking(way, { greedy: false, gamma: 0.5, embeddingRms }),
    rules: thinkingRules(tokenizer, { maxThinking, maxAnswer, endTokenIds: model.config.eosTokenIds }),
    settings: trainSettings({ questions: 4, group: 8, lr: 1e-4, steps }),
  });
  const { subgroupSize: lanes, matmulFamily: family } = gpu;
  const trained: WayTrained = { way, family, lanes, mismatch: 0, rewards: [], gradientNorms: [] };
  for (let step = 1; step <= steps; step++) {
    const { metrics } = await trainStep(trainer, step);
    const { mismatch_thinking_max: ofThinking, mismatch_near_tie_max: ofTies, mismatch_answer_max } = metrics;
    trained.mismatch = Math.max(trained.mismatch ?? NaN, ofThinking, ofTies, mismatch_answer_max);
    trained.rewards.push(metrics.reward);
    trained.gradientNorms.push(metrics.gradient_norm);
  }
  gpu.commands.flush();
  freeTrainer(trainer);
  freeModel(model);
  return trained;
}

const FAMILIES = ["broadcast", "tile"] as const;

if (import.meta.main) {
  const { values: { steps, ways, families } } = parseArgs({
    options: {
      ...{ steps: { type: "string", default: "3" }, ways: { type: "string", default: WAYS.join() } },
      families: { type: "string", default: FAMILIES.join() },
    },
  });
  for (const matmulFamily of FAMILIES.filter((family) => families.split(",").includes(family))) {
    const gpu = await openGpu({ matmulFamily });
    for (const way of WAYS.filter((way) => ways.split(",").includes(way))) {
      console.log(JSON.stringify(await train(gpu, way, Number(steps))));
    }
    gpu.close();
  }
}
