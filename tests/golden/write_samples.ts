/** Writes files for check_with_python.py: tensors of each type, and the embedded tokenizer's ids of many texts. */
import { demonstration } from "../../eval/tasks/sums_demonstration.ts";
import { SUMS_SLIPS } from "../../eval/tasks/sums_problem.ts";
import { builtinTokenizer } from "../../model/builtin/builtin_tokenizer.ts";
import { createSafetensors, type TensorSpec } from "../../model/formats/safetensors_writer.ts";
import { FORCED_TEXTS, TRIGGER } from "../../model/generation/thinking_text.ts";

const [folder] = Deno.args;
const specs: TensorSpec[] = [
  { name: "half.odd", dtype: "F16", shape: [3] },
  { name: "full", dtype: "F32", shape: [5, 7] },
  { name: "brain", dtype: "BF16", shape: [2, 2, 3] },
  { name: "scalar", dtype: "F32", shape: [] },
];
const writer = createSafetensors(`${folder}/model.safetensors`, specs, { format: "pt", seed: "7" });
for (const { name, shape } of specs.toReversed()) {
  writer.write(name, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i - 2) / 8));
}
writer.finish();

const tokenizer = builtinTokenizer();
const texts = [...Object.values(FORCED_TEXTS), TRIGGER];
for (let index = 0; index < 500; index++) {
  for (const difficulty of [undefined, SUMS_SLIPS]) {
    const { prompt, completion } = demonstration(11, index, { stepsShare: 0.7 }, difficulty);
    texts.push(prompt, completion, `${prompt}${completion}<|end|>`);
  }
}
const rows = texts.map((text) => ({ text, ids: tokenizer.encode(text) }));
Deno.writeTextFileSync(`${folder}/texts.json`, JSON.stringify(rows));
for (const [name, text] of Object.entries(tokenizer.files)) Deno.writeTextFileSync(`${folder}/${name}`, text);
