/**
 * Learning: a short run on the embedded task makes the model answer better, with discrete and with soft thinking. Fixed
 * seeds; the change is judged over the same test problems before and after.
 */
import { assert } from "@std/assert";
import { evaluate } from "../../eval/evaluate.ts";
import { type Mode, wayOfThinking } from "../../eval/modes.ts";
import { pairedChange } from "../../eval/measures/pass_at_k.ts";
import { sums } from "../../eval/tasks/sums.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { findModel } from "../../model/files/find_model.ts";
import { thinkingRules } from "../../model/generation/thinking_text.ts";
import { localRollouts } from "../../rl/local_rollouts.ts";
import { createTrainer, type Trainer } from "../../rl/trainer.ts";
import { trainStep } from "../../rl/train_step.ts";

const PROBLEMS = 256;
const GAMMA = 0.1;

async function prepare(kind: "hard" | "soft", lr: number, steps: number) {
  const gpu = await openGpu();
  const { model, tokenizer, embeddingRms } = await findModel(gpu, "builtin");
  const thinking = wayOfThinking(kind, { greedy: false, gamma: GAMMA, embeddingRms });
  const { maxThinking, answerTokens: maxAnswer } = sums.limits;
  const rules = thinkingRules(tokenizer, { maxThinking, maxAnswer, endTokenIds: model.config.eosTokenIds });
  const [questions, group, seed] = [8, 16, 0];
  const trainer = createTrainer({
    model,
    tokenizer,
    task: sums,
    thinking,
    rules,
    source: localRollouts({ model, tokenizer, task: sums, thinking, rules, group, seed }),
    settings: {
      questions,
      group,
      seed,
      steps,
      lr,
      warmup: 5,
      finalLr: 0.1,
      beta1: 0.9,
      beta2: 0.95,
      eps: 1e-8,
      weightDecay: 0,
      clip: 1,
      clipStep: 0,
      thinkingWeight: 1,
      recompute: false,
      microRows: 8192,
    },
  });
  return { trainer, embeddingRms, close: () => gpu.close() };
}

/** Right answers by question in one mode. */
async function solved({ model, tokenizer }: Trainer, mode: Mode, embeddingRms: number) {
  const [result] = await evaluate(model, tokenizer, sums, {
    stream: "test",
    seed: 1,
    questions: PROBLEMS,
    modes: [mode],
    gamma: GAMMA,
    embeddingRms,
    samples: 1,
  });
  return result.questions.map(({ correct, samples }) => correct / samples);
}

for (
  // The first updates of the recipes' runs.
  const { kind, mode, lr, steps, schedule } of [
    { kind: "hard", mode: "hard-greedy", lr: 3e-4, steps: 15, schedule: 60 },
    { kind: "soft", mode: "soft-sample", lr: 3e-5, steps: 120, schedule: 320 },
  ] as const
) {
  Deno.test(`${steps} updates with ${kind} thinking raise ${mode} accuracy on the embedded task`, async () => {
    const { trainer, embeddingRms, close } = await prepare(kind, lr, schedule);
    const before = await solved(trainer, mode, embeddingRms);
    for (let step = 1; step <= steps; step++) {
      const { metrics } = await trainStep(trainer, step);
      assert(
        metrics.mismatch_thinking_max === 0 && metrics.mismatch_near_tie_max === 0,
        `mismatch at step ${step}`,
      );
    }
    const change = pairedChange(before, await solved(trainer, mode, embeddingRms));
    close();
    const told = `change ${change.value.toFixed(3)} with standard error ${change.standardError.toFixed(3)}`;
    assert(change.value > 3 * change.standardError, told);
  });
}
