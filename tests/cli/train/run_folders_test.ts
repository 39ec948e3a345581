/** Which folder a run has that nobody names one for, and how a finished run goes on. */
import { assert, assertAlmostEquals, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { metricsOf } from "../../rl/support/run_files.ts";
import { fails, softcotCommand, told } from "../support/run_softcot.ts";
import { smallModel } from "../support/small_model.ts";
import { trainArgs } from "../support/train_args.ts";

const { folder, model } = await smallModel();

/** Runs the program in the folder. */
async function here(args: string[]) {
  const done = told(
    await softcotCommand(args, { cwd: folder, stdin: "null" }).output(),
  );
  assertEquals(done.code, 0, done.stderr);
  return done;
}

Deno.test("runs that start at once have a folder each; the last one is gone on with where none is named, longer if asked", async () => {
  await fails(["train", "--resume", "--out", `${folder}/none`], 1, "it holds no run");
  const rates = { warmup: 0, lr: 0.01, "final-lr": 0.5 };
  const args = trainArgs({ model, steps: 2, ...rates, "validate-every": 0, "diagnose-every": 3 });
  await Promise.all([here(args), here(args)]);
  const runs = [...Deno.readDirSync(`${folder}/runs`)].map(({ name }) => name).sort();
  assertEquals(runs, ["sums-soft", "sums-soft-2"]);
  const [first, last] = runs.map((name) => `${folder}/runs/${name}`);
  assertEquals(metricsOf(first).map(({ reward }) => reward), metricsOf(last).map(({ reward }) => reward));

  Deno.utimeSync(`${last}/metrics.jsonl`, Date.now() / 1000 + 60, Date.now() / 1000 + 60);
  const { stdout, stderr } = await here(["train", "--resume", "--steps", "4"]);
  assertMatch(stdout, /^2 of 4 updates in \d+ s; the run is in runs\/sums-soft-2\n/);
  assertStringIncludes(
    stderr,
    "steps    4 in place of 2: the learning rate, 0.005 at step 2, goes on with 0.00573",
  );
  assertStringIncludes(
    stderr,
    "warning  this is not a run of 4 updates from the beginning, whose first 2 would",
  );
  const lines = metricsOf(last);
  [0.0075, 0.005, 0.00573, 0.005].forEach((rate, i) => assertAlmostEquals(lines[i].lr as number, rate, 1e-5));
  // Compared with the gradient of what was the last update.
  const cosines = lines.map(({ gradient_cosine }) => gradient_cosine as number | undefined);
  assert(Math.abs(cosines[2]!) > 0 && Math.abs(cosines[2]!) <= 1, cosines.join());
  assertEquals(metricsOf(first).length, 2);
  assertMatch(Deno.readTextFileSync(`${last}/config.toml`), /^steps = 4$/m);
  const again = await here(["train", "--resume", "--out", "runs/sums-soft-2"]);
  assert(again.stderr.includes("nothing is left to train") && !again.stderr.includes("in place of"));
  await fails(["train", "--resume", "--out", last, "--steps", "3"], 1, "with --steps 3: it runs with 4");
});

Deno.test("a table of one question is refused before anything is trained", async () => {
  const out = `${folder}/one`;
  await fails(
    trainArgs({ model, out, "test-questions": 1 }),
    1,
    "Cannot test sums on one question",
    "hint: --test-questions 0",
  );
  assert(!Array.from(Deno.readDirSync(folder)).some(({ name }) => name === "one"));
});
