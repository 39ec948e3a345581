// Asks a question of a model, in soft thinking: ./softcot deno run -A examples/generate.ts [MODEL]
import {
  findModel,
  generate,
  openGpu,
  openTask,
  promptOf,
  thinkingRules,
  wayOfThinking,
} from "@softcot/softcot";

const gpu = await openGpu();
const { model, tokenizer, embeddingRms } = await findModel(gpu, Deno.args[0] ?? "builtin");
const task = await openTask("sums"); // whose prompt is used
const question = "Sam has 10 coins. Sam doubles them. Sam loses 5. How many coins does Sam have?";

using scratch = gpu.arena.scratch(); // what is computed on the way is freed at the end of the block
const { rollouts } = await generate(model, tokenizer, {
  prompts: [(await promptOf(tokenizer, task, question)).ids],
  group: 3, // texts of each prompt
  rolloutIds: [0, 1, 2], // decide on their random numbers, with the seed
  seed: 0,
  step: 0,
  thinking: wayOfThinking("soft", { greedy: false, gamma: 0.33, embeddingRms }),
  rules: thinkingRules(tokenizer, { maxThinking: 52, maxAnswer: 5, endTokenIds: model.config.eosTokenIds }),
  answerTau: 0, // the answer is greedy
}, scratch);

for (const { thinking, forced, answer, thinkingEnd } of rollouts) {
  // The text of a soft thought is its shadow: the most probable token of each step.
  const text = tokenizer.decode([...thinking, ...forced, ...answer], true);
  console.log(`${text.trim()}   (${thinking.length} steps of thinking, ended by ${thinkingEnd})`);
}
gpu.close();
