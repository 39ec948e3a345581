/**
 * Choice tasks against lm-evaluation-harness on SmolLM2-135M-Instruct: the prompts of all 16,214 questions, token ids of 300,
 * scores of the first few. All 300 are scored by tests/golden/choices/compare.ts.
 */
import { assert, assertEquals } from "@std/assert";
import type { ChoiceTask } from "../../../eval/choices/choice_task.ts";
import { openAnyTask } from "../../../eval/tasks/open_task.ts";
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { findModel } from "../../../model/files/find_model.ts";
import { openModelFiles } from "../../../model/files/model_files.ts";
import { freeModel } from "../../../model/transformer/transformer.ts";
import {
  COMPARED,
  digest,
  digestsOf,
  harness,
  promptDigest,
  scoreFirst,
} from "../../golden/choices/compare.ts";
import { shared } from "../../support/places.ts";

const model = `${shared}models/smollm2-135m-instruct`;
// Of each task: 400 rows in all, 5 seconds of the software device where it has the machine for itself.
const SCORED = 2;

const absent = [model, ...COMPARED.map(([, , folder]) => `${shared}data/${folder}`)].filter((path) => {
  try {
    return !Deno.statSync(path).isDirectory;
  } catch {
    return true;
  }
});
if (absent.length > 0) {
  console.log(`skipped: choice tasks against lm-evaluation-harness, ${absent[0]} is not there`);
}
const ignore = absent.length > 0;

const open = (name: string, folder: string) =>
  openAnyTask(name, { data: `${shared}data/${folder}` }) as Promise<ChoiceTask>;

Deno.test(
  { name: "all prompts are those of lm-evaluation-harness, token ids of 300 too", ignore },
  async () => {
    using files = openModelFiles(model);
    for (const [name, key, folder] of COMPARED) {
      const task = await open(name, folder);
      const questions = task.size("test");
      const all = Array.from(
        { length: questions },
        (_, index) => promptDigest(task.question("test", index, 0)),
      );
      assertEquals({ questions, digest: digest(...all) }, harness.prompts[key], name);
      assertEquals(harness[key].length, 100);
      harness[key].forEach(({ prompt, ids, right }, index) => {
        const question = task.question("test", index, 0);
        assertEquals({ ...digestsOf(files.tokenizer, question), right: question.right }, {
          prompt,
          ids,
          right,
        });
      });
    }
    const task = await open("mmlu", "mmlu");
    const first = new Map(
      Array.from({ length: 57 }, (_, index) => [task.question("test", index, 0).subject, index]),
    );
    assertEquals(first.size, 57);
    for (const [subject, byShots] of Object.entries(harness.few_shot)) {
      for (const [shots, expected] of Object.entries(byShots)) {
        const { context } = task.question("test", first.get(subject)!, Number(shots));
        assertEquals(digest(context), expected, `${subject}, ${shots} shots`);
      }
    }
  },
);

Deno.test(
  { name: "sums are within 1e-3 a token of lm-evaluation-harness's, picks the same", ignore },
  async () => {
    const gpu = await openGpu();
    try {
      const found = await findModel(gpu, model);
      for (const [name, key, folder] of COMPARED) {
        const { result, differences } = await scoreFirst(
          found,
          await open(name, folder),
          harness[key],
          SCORED,
        );
        result.records.forEach(({ tokens, correct }, i) => {
          assertEquals(tokens, harness[key][i].tokens);
          assertEquals(Number(correct), harness[key][i].acc);
        });
        for (const { worst, samePick, sameNormed } of differences) {
          assert(worst < 1e-3, `${name}: ${worst} a token`);
          assert(samePick && sameNormed, `${name}: another pick`);
        }
      }
      freeModel(found.model);
    } finally {
      gpu.close();
    }
  },
);
