/** `softcot train` on questions from files: what is held out, kept, and refused. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { testFolder } from "../../support/folders.ts";
import { byteModel } from "../support/model_folder.ts";
import { fails, succeed } from "../support/run_softcot.ts";
import { metricsOf } from "../../rl/support/run_files.ts";
import { resumeArgs, trainArgs, type TrainFlags } from "../support/train_args.ts";

const folder = await testFolder();
const model = await byteModel(folder);

/** Questions in GSM8K's form. */
function writeData(path: string, count: number): string {
  Deno.mkdirSync(path, { recursive: true });
  for (const [split, first] of [["train", 0], ["test", 1000]] as const) {
    const rows = Array.from({ length: count }, (_, i) => ({
      question: `Sam has ${first + i} coins. How many coins does Sam have?`,
      answer: `He has them.\n#### ${first + i}`,
    }));
    Deno.writeTextFileSync(
      `${path}/${split}.jsonl`,
      rows.map((row) => JSON.stringify(row)).join("\n") + "\n",
    );
  }
  return path;
}

const data = writeData(`${folder}/data`, 20);
const train = (flags: TrainFlags) =>
  trainArgs({ model, task: "gsm8k", data, "answer-tokens": 5, steps: 2, "test-questions": 2, ...flags });

Deno.test("a run on files keeps what it holds out, grades by the task, and measures on the test split", async () => {
  const out = `${folder}/run`;
  const { stdout, stderr } = await succeed(train({ out }));
  assertStringIncludes(stderr, "data     16 training questions; 4 more are held out for validation\n");
  const kept = JSON.parse(Deno.readTextFileSync(`${out}/validation.json`));
  assertEquals([kept.task, kept.origin, kept.ids.length, new Set(kept.ids).size], ["gsm8k", data, 4, 4]);
  assertStringIncludes(stdout, "accuracy on 2 test questions");
  for (const { reward } of metricsOf(out)) assert((reward as number) >= 0);
  const samples = Deno.readTextFileSync(`${out}/samples.jsonl`);
  assertStringIncludes(samples, "How many coins does Sam have?");
});

Deno.test("how many questions there are is told, and how many repeat; too few of them are all trained on", async () => {
  const few = writeData(`${folder}/few`, 5);
  const text = Deno.readTextFileSync(`${few}/train.jsonl`);
  Deno.writeTextFileSync(`${few}/train.jsonl`, text + text.split("\n")[0] + "\n");
  const out = `${folder}/few-run`;
  const { stderr } = await succeed(
    train({ out, data: few, steps: 1, "validate-every": 1, "test-questions": 0 }),
  );
  assertMatch(
    stderr,
    /^data +6 training questions, 1 of them repeat another; none is held out for validation, for which 6 different ones are needed$/m,
  );
  assertEquals(metricsOf(out)[0].validation_accuracy, undefined);
});

Deno.test("a run whose data changed is not gone on with", async () => {
  const [out, own] = [`${folder}/changed`, writeData(`${folder}/own`, 20)];
  await succeed(train({ out, data: own, seed: 1 }));
  writeData(own, 14);
  await fails(resumeArgs(out), 1, "its data have changed");
});

Deno.test("missing data are told before anything is trained", async () => {
  const args = train({ out: `${folder}/never`, data: `${folder}/none` });
  await fails(args, 1, "error: Cannot read the data of gsm8k");
});
