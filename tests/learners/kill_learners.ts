/**
 * One run of two learners, killed (kill -9) again and again, or stopped by another signal, one learner or the other, at random moments of updates
 * and of saving: each time the others have to say who was lost and the job to end within 30 seconds; in the end the run is held against one that
 * was never stopped. Ends with status 1 where any of that is not so.
 *
 *     deno run -A tests/learners/kill_learners.ts [--kills 20] [--seed 1] [--signal SIGSTOP]
 */
import { parseArgs } from "node:util";
import { seededUniform } from "../../eval/seeded_uniform.ts";
import { softcotCommand } from "../cli/support/run_softcot.ts";
import { SMALL_MODEL } from "../cli/support/small_model.ts";
import { resumeArgs, trainArgs } from "../cli/support/train_args.ts";
import { assertSameRun, linesIn } from "../rl/support/run_files.ts";
import { findLearner } from "./support/find_learner.ts";

const { values: options } = parseArgs({
  options: {
    kills: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    signal: { type: "string", default: "SIGKILL" },
  },
});
const kills = Number(options.kills);
const SECONDS_TO_END = 30;
const folder = Deno.makeTempDirSync({ prefix: "softcot-kills-" });
const LEARNERS = ["--learners", "2"];
const random = seededUniform(Number(options.seed));

const spawn = (args: string[]) =>
  softcotCommand(args, { stdin: "null", stdout: "null", stderr: "piped" }).spawn();
async function succeed(args: string[]): Promise<void> {
  const { success, stderr } = await spawn(args).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

await succeed([
  "sft",
  ...SMALL_MODEL,
  "--steps",
  "80",
  "--batch",
  "8",
  "--warmup",
  "5",
  "--lr",
  "1e-2",
  "--out",
  `${folder}/base`,
]);
const steps = 3 * kills;
const args = (out: string) => [
  ...trainArgs({ model: `${folder}/base`, questions: 3, steps, "save-every": 2, "validate-every": 5, out }),
  ...LEARNERS,
];
const [whole, killed] = [`${folder}/whole`, `${folder}/killed`];
await succeed(args(whole));

const taken: number[] = [];
let named = 0;
let done = 0;
for (let k = 0; k < kills; k++) {
  const before = linesIn(`${killed}/metrics.jsonl`);
  const child = spawn(k === 0 ? args(killed) : [...resumeArgs(killed), ...LEARNERS]);
  const output = child.output();
  let ended = false;
  output.then(() => ended = true);
  // An update or two more than before, and some milliseconds.
  const goal = before + 1 + Math.floor(2 * random());
  while (!ended && linesIn(`${killed}/metrics.jsonl`) < goal) {
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
  await new Promise((resolve) => setTimeout(resolve, 400 * random()));
  const rank = random() < 0.5 ? 0 : 1;
  const pid = ended ? undefined : findLearner(rank, killed);
  if (pid === undefined) {
    console.log(`kill ${k + 1}: the run had ended before`);
    await output;
    break;
  }
  Deno.kill(pid, options.signal as Deno.Signal);
  const began = performance.now();
  const { code, stderr } = await output;
  taken.push((performance.now() - began) / 1000);
  const text = new TextDecoder().decode(stderr);
  const isNamed = text.includes(`learner ${rank} of 2 is lost`) &&
    text.includes("go on with: softcot train --resume");
  if (isNamed) named++;
  else console.log(text);
  done++;
  console.log(
    `kill ${done}: learner ${rank} after update ${linesIn(`${killed}/metrics.jsonl`)}, ended in ${
      taken.at(-1)!.toFixed(1)
    } s with status ${code}, ${isNamed ? "named" : "NOT named"}`,
  );
}
await succeed([...resumeArgs(killed), ...LEARNERS]);
assertSameRun(killed, whole);
console.log(
  `${done} kills, ${named} named; ended within ${Math.max(...taken).toFixed(1)} s, ${
    (taken.reduce((sum, one) => sum + one, 0) / taken.length).toFixed(1)
  } s in the mean; metrics, samples, weights and moments are those of the run that was never stopped`,
);
Deno.removeSync(folder, { recursive: true });
const late = taken.filter((seconds) => seconds > SECONDS_TO_END).length;
if (late > 0 || named < done || done === 0) {
  console.error(
    `wrong: ${late} of ${done} ends took more than ${SECONDS_TO_END} s, ${
      done - named
    } did not name the lost one`,
  );
  Deno.exitCode = 1;
}
