/**
 * What it costs that own code runs in a process of its own: starting it, rewarding an update's rollouts, asking for prompts and grades;
 * beside the same calls within this process, in turns.
 *
 * @module
 */
import { openTask } from "../../eval/tasks/open_task.ts";
import { loadRewards, type RewardInput } from "../../rl/reward.ts";

const ROUNDS = 15;
const ROLLOUTS = 128;
const QUESTIONS = 20_000;

const folder = Deno.makeTempDirSync();

/** Writes a file, and returns its path. */
function written(name: string, code: string): string {
  Deno.writeTextFileSync(`${folder}/${name}`, code);
  return `${folder}/${name}`;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

const median = (times: number[]) => times.toSorted((a, b) => a - b)[times.length >> 1];
const shown = (times: number[]) => `${median(times).toFixed(2)} ms`;
const a = (count: number, call: (i: number) => unknown) =>
  Promise.all(Array.from({ length: count }, (_, i) => call(i)));

const thought = "so many coins and then some more ".repeat(60);
const rollout: RewardInput = {
  ...{ question: "How many coins does Sam have?", gold: "5", text: `${thought}\\boxed{5}`, shadow: thought },
  ...{ boxed: "5", correct: true, thinkingTokens: 512 },
};

const starts: number[] = [];
const imports: number[] = [];
for (let i = 0; i < ROUNDS; i++) {
  const path = written(`start${i}.ts`, "export default ({ text }) => text.length;");
  starts.push(await timed(() => loadRewards([path])));
  imports.push(await timed(() => import(`file://${path}`)));
}
console.log(`start and load    ${shown(starts)}, imported ${shown(imports)}`);

const path = written(
  "reward.ts",
  "export default async ({ text, thinkingTokens }) => text.length - thinkingTokens;",
);
const [{ score }] = await loadRewards([path]);
const within = (await import(`file://${path}`)).default;
const [apart, inside, one]: number[][] = [[], [], []];
for (let i = 0; i < ROUNDS; i++) {
  apart.push(await timed(() => a(ROLLOUTS, () => score!(rollout))));
  inside.push(await timed(() => a(ROLLOUTS, () => within(rollout))));
  one.push(await timed(async () => await score!(rollout)));
}
console.log(`${ROLLOUTS} rollouts      ${shown(apart)}, within ${shown(inside)}; one alone ${shown(one)}`);

const own = written(
  "task.ts",
  `const ask = (n) => ({ question: "What is " + n + " times " + n + "?", gold: "" + n * n });
  export default {
    questions: { test: Array.from({ length: ${QUESTIONS} }, (_, i) => ask(i)) },
    prompt: (question) => question + " Think, then answer.",
    grade: (gold, text) => ({ correct: text.startsWith(gold + "}"), reward: 10 }),
  };`,
);
let task = await openTask(own);
const opened = await timed(async () => task = await openTask(own));
const prompts = await timed(() => a(QUESTIONS, (i) => task.prompt(task.question("test", 0, i).question)));
const grades = await timed(() => a(QUESTIONS, (i) => task.grade(`${i}`, "25} and more")));
const rate = (time: number) => `${Math.round(QUESTIONS / time)} thousand a second`;
console.log(
  `${QUESTIONS} questions   opened in ${opened.toFixed(0)} ms; prompts ${rate(prompts)}, grades ${
    rate(grades)
  }`,
);
Deno.removeSync(folder, { recursive: true });
