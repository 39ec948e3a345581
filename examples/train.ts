// Trains a run with a reward and a callback of one's own: ./softcot deno run -A examples/train.ts [FOLDER]
import {
  createRun,
  createTrainer,
  findModel,
  freshState,
  localRollouts,
  openGpu,
  openTask,
  thinkingRules,
  train,
  wayOfThinking,
} from "@softcot/softcot";
import type { RewardInput } from "@softcot/softcot";

const folder = Deno.args[0] ?? "runs/example";
const gpu = await openGpu();
const { model, tokenizer, embeddingRms } = await findModel(gpu, "builtin");
const task = await openTask("sums");
const parts = {
  ...{ model, tokenizer, task },
  thinking: wayOfThinking("soft", { greedy: false, gamma: 0.5, embeddingRms }),
  rules: thinkingRules(tokenizer, { maxThinking: 52, maxAnswer: 5, endTokenIds: model.config.eosTokenIds }),
  rewards: [
    { name: "task", weight: 1 }, // the task's own verdict
    {
      name: "brevity",
      weight: 0.2,
      score: ({ correct, thinkingTokens }: RewardInput) => correct ? 100 - thinkingTokens : 0,
    },
  ],
};
const settings = {
  ...{ questions: 4, group: 8, seed: 0, microRows: 8192, recompute: false },
  ...{ steps: 3, lr: 1e-4, warmup: 1, finalLr: 0.1, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0 },
  ...{ clip: 1, clipStep: 0, thinkingWeight: 1 },
};
const trainer = createTrainer({
  ...parts,
  settings,
  source: localRollouts({ ...parts, group: settings.group, seed: 0 }),
});

const run = createRun(folder, "# made by examples/train.ts\n");
const schedule = {
  steps: settings.steps,
  validateEvery: 0,
  validationQuestions: 0,
  saveEvery: 50,
  keep: 1,
  printEvery: 1,
};
const stop = new AbortController();
const { step } = await train(trainer, run, schedule, freshState(trainer, embeddingRms), {
  signal: stop.signal,
  onStep(line) {
    console.log(
      `step ${line.step}: reward ${line.reward.toFixed(1)}, mismatch ${line.mismatch_thinking_max}`,
    );
    if (line.reward > 99) stop.abort(); // saves, and ends the training
  },
  onSample: ({ question, thinking, answer }) => console.log(`  ${question} -> ${thinking}${answer}`),
});
console.log(`${step} updates; softcot generate --model ${folder} asks the model`);
run.close();
gpu.close();
