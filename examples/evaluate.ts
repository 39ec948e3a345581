// Measures a model on questions of one's own, with pass@k and a paired comparison of two ways of thinking:
// ./softcot deno run -A examples/evaluate.ts [MODEL]
import { evaluate, findModel, openGpu, openTask, pairedChange } from "@softcot/softcot";

const gpu = await openGpu();
const { model, tokenizer, embeddingRms } = await findModel(gpu, Deno.args[0] ?? "builtin");
const task = await openTask("sums"); // or the path of a task file of one's own

const [hard, soft] = await evaluate(model, tokenizer, task, {
  modes: ["hard-sample", "soft-sample"],
  stream: "test",
  questions: 8,
  samples: 4,
  gamma: 0.33,
  embeddingRms,
  seed: 0,
});
for (const { mode, accuracy, passAt, thinkingLength } of [hard, soft]) {
  const passes = passAt.map(({ k, value }) => `pass@${k} ${value.toFixed(3)}`).join(", ");
  console.log(
    `${mode}: ${accuracy.value.toFixed(3)} ± ${accuracy.standardError.toFixed(3)}, ${passes}, ${
      thinkingLength.toFixed(1)
    } steps`,
  );
}
const shares = ({ questions }: typeof hard) => questions.map(({ correct, samples }) => correct / samples);
const change = pairedChange(shares(hard), shares(soft));
console.log(
  `soft less hard: ${change.value.toFixed(3)} ± ${change.standardError.toFixed(3)} over the same questions`,
);
gpu.close();
