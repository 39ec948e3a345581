/**
 * Runs of one, two and four learners with the same questions, in several ways of thinking, full and by an adapter: how far their curves and last
 * weights are apart, whether a run of as many learners repeats to the bit, and what one that goes from 2 to 4 to 1 learners comes to.
 *
 *     deno run -A tests/learners/compare_learners.ts [--steps 20] [--model builtin] [--ways hard,soft,multiplex] [--quick]
 *
 * `--quick` leaves out repeats and changes of number. On software devices each learner has its share of the cores. Ends with status 1 where a
 * repeat has other bits, or another number of learners is further off than the order of sums explains.
 */
import { parseArgs } from "node:util";
import { table } from "../../cli/terminal/table.ts";
import { softcotCommand } from "../cli/support/run_softcot.ts";
import { metricsOf } from "../rl/support/run_files.ts";
import { jsonLines } from "../support/json_lines.ts";
import { lastWeights, weightDifference } from "./support/run_weights.ts";

const { values: options } = parseArgs({
  options: {
    steps: { type: "string", default: "20" },
    model: { type: "string", default: "builtin" },
    ways: { type: "string", default: "hard,soft,multiplex" },
    quick: { type: "boolean", default: false },
  },
});
const steps = Number(options.steps);
const folder = Deno.makeTempDirSync({ prefix: "softcot-learners-" });

async function softcot(args: readonly string[]): Promise<void> {
  const { success, stderr } = await softcotCommand([...args], { stdin: "null", stdout: "null" })
    .output();
  if (!success) throw new Error(`softcot ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

const learners = (count: number) => count === 1 ? [] : ["--learners", `${count}`];

async function train(name: string, way: string, lora: boolean, count: number): Promise<string> {
  const out = `${folder}/${name}`;
  await softcot([
    ...["train", "--model", options.model, "--thinking", way, "--steps", `${steps}`, "--out", out],
    ...["--questions", "4", "--group", "8", "--max-thinking", "24", "--warmup", "2"],
    ...["--validate-every", "0", "--test-questions", "0", "--save-every", "5", "--keep", "10"],
    ...["--sample-every", "0", "--print-every", "0"],
    ...(lora ? ["--lora", "--lora-lr", "1e-3"] : ["--lr", "1e-4"]),
    ...learners(count),
  ]);
  return out;
}

/** Takes a copy of a run back to a checkpoint, as if it had been stopped there, and goes on by so many learners, up to another one. */
async function goOn(from: string, name: string, step: number, count: number): Promise<string> {
  const out = `${folder}/${name}`;
  await new Deno.Command("cp", { args: ["-r", from, out] }).output();
  for (const { name } of Deno.readDirSync(`${out}/checkpoints`)) {
    if (Number(name.replace("step-", "")) > step) {
      Deno.removeSync(`${out}/checkpoints/${name}`, { recursive: true });
    }
  }
  await softcot(["train", "--resume", "--out", out, ...learners(count)]);
  return out;
}

/** The largest difference of a metric over two runs, and the first update where one is not the same to the bit. */
function apart(a: string, b: string, metric: string): { most: number; first: number | undefined } {
  const [x, y] = [a, b].map((out) => metricsOf(out).map((line) => line[metric] as number));
  const differences = x.map((value, i) => Math.abs(value - y[i]));
  const first = differences.findIndex((difference) => difference > 0);
  return { most: Math.max(...differences), first: first < 0 ? undefined : first + 1 };
}

const same = (a: string, b: string): boolean =>
  JSON.stringify(metricsOf(a)) === JSON.stringify(metricsOf(b)) &&
  ["model.safetensors", "adapter_model.safetensors", "optimizer.safetensors"].every((name) => {
    const [x, y] = [a, b].map((out) => lastWeights(out, name));
    return x === undefined ? y === undefined : x.every((value, i) => Object.is(value, y![i]));
  });

/**
 * Of the gradient of the first update, whose rollouts are the same: what the order of sums makes. Of the last weights: what that grows to where
 * no rollout became another one, which a near-tie between two tokens does now and then.
 */
const TOLERANCE = { gradient: 1e-6, weights: 1e-3 };
const wrong: string[] = [];
function hold(isRight: boolean, what: string): void {
  if (!isRight) wrong.push(what);
}

const rows: string[][] = [];
function compare(what: string, out: string, one: string): void {
  const reward = apart(out, one, "reward");
  const norms = metricsOf(one).map((line, i) => {
    const [a, b] = [line.gradient_norm as number, metricsOf(out)[i].gradient_norm as number];
    return a === b ? 0 : Math.abs(a - b) / a;
  });
  const weights = weightDifference(out, one);
  hold(norms[0] <= TOLERANCE.gradient, `${what}: the first gradient's norm is off by ${norms[0]}`);
  const isSame = reward.first === undefined;
  hold(!isSame || weights <= TOLERANCE.weights, `${what}: the last weights are off by ${weights}`);
  const seconds = jsonLines(`${out}/metrics.jsonl`).slice(1).map(({ time }) => time.step as number);
  rows.push([
    what,
    reward.most.toFixed(2),
    `${reward.first ?? "none"}`,
    norms[0].toExponential(1),
    Math.max(...norms).toExponential(1),
    weights.toExponential(1),
    seconds.toSorted((a, b) => a - b)[Math.floor(seconds.length / 2)].toFixed(2),
  ]);
  console.error(rows.at(-1)!.join("  "));
}

function repeats(what: string, out: string, other: string): void {
  const isSame = same(out, other);
  console.log(`${what}: ${isSame ? "the same to the bit" : "NOT the same"}`);
  hold(isSame, `${what}: not the same to the bit`);
}

for (const way of options.ways.split(",")) {
  for (const lora of [false, true]) {
    const name = `${way}-${lora ? "lora" : "full"}`;
    const one = await train(`${name}-1`, way, lora, 1);
    compare(`${name} 1`, one, one);
    const two = await train(`${name}-2`, way, lora, 2);
    compare(`${name} 2`, two, one);
    const four = await train(`${name}-4`, way, lora, 4);
    compare(`${name} 4`, four, one);
    if (options.quick) continue;
    const again = await train(`${name}-2-again`, way, lora, 2);
    repeats(`${name}: 2 learners again`, again, two);
    const resumed = await goOn(two, `${name}-2-2`, steps / 2, 2);
    repeats(`${name}: 2, resumed by 2`, resumed, two);
    const changed = await goOn(
      await goOn(two, `${name}-2-4`, steps / 4, 4),
      `${name}-2-4-1`,
      steps / 2,
      1,
    );
    compare(`${name} 2 to 4 to 1`, changed, one);
  }
}
console.log(table(rows, {
  header: [
    "learners",
    "reward off by at most",
    "first off in update",
    "gradient norm off in the first",
    "at most",
    "last weights off by",
    "seconds an update",
  ],
  align: ["left"],
}));
Deno.removeSync(folder, { recursive: true });
for (const line of wrong) console.error(`wrong: ${line}`);
if (wrong.length > 0) Deno.exitCode = 1;
