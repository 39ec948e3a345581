/**
 * Own code that does wrong, in each place where own code may stand, by the commands that run it: each ends with 1 and words that name the file, soon,
 * without a stack, and leaves no process. `tests/eval/own_code/` holds the same against what the commands call, with more deeds.
 *
 *     ./softcot deno run -A tests/faults/own_code.ts [WORDS...]
 *
 * With words, those alone whose place or deed holds one of them. Ends with 1 where a command did anything else.
 *
 * @module
 */
import { table } from "../../cli/terminal/table.ts";
import { isAlive } from "../support/is_alive.ts";
import { runStruck } from "./support/run_struck.ts";

const folder = Deno.makeTempDirSync({ prefix: "softcot-own-" });

const QUESTIONS =
  "{ train: Array.from({ length: 40 }, (_, i) => ({ question: `${i} + 1?`, gold: String(i + 1) })), " +
  'test: [{ question: "2 + 3?", gold: "5" }, { question: "2 + 4?", gold: "6" }] }';
const TASK = `questions: ${QUESTIONS}, limits: { maxThinking: 4, answerTokens: 3 }`;

const train = (...own: string[]) => [
  ...[
    "train",
    "--steps",
    "2",
    "--questions",
    "2",
    "--group",
    "4",
    "--max-thinking",
    "4",
    "--answer-tokens",
    "3",
  ],
  ...["--test-questions", "0", "--validate-every", "0", "--reward-timeout", "3", ...own],
];
const evaluate = (
  path: string,
) => ["eval", path, "--mode", "hard-greedy", "--limit", "2", "--reward-timeout", "3"];

/** Where own code stands: a file with a function's body there, and the commands that come upon it. */
const PLACES: Record<
  string,
  { code(body: string): string; commands: Record<string, (path: string) => string[]> }
> = {
  "the file of a task": {
    code: (body) => `const it = async () => ${body}; await it(); export default { ${TASK} };`,
    commands: { train: (path) => train("--task", path), "data show": (path) => ["data", "show", path] },
  },
  questions: {
    code: (body) => `export default { questions: () => ${body} };`,
    commands: { train: (path) => train("--task", path), eval: evaluate },
  },
  prompt: {
    code: (body) => `export default { ${TASK}, prompt: () => ${body} };`,
    commands: {
      eval: evaluate,
      generate: (path) => ["generate", "--task", path, "--reward-timeout", "3", "1 + 1?"],
    },
  },
  grade: {
    code: (body) => `export default { ${TASK}, grade: () => ${body} };`,
    commands: { train: (path) => train("--task", path), eval: evaluate },
  },
  "the file of a reward": {
    code: (body) => `const it = async () => ${body}; await it(); export default () => 0;`,
    commands: { train: (path) => train("--reward", path) },
  },
  "a reward": {
    code: (body) => `export default () => ${body};`,
    commands: { train: (path) => train("--reward", path) },
  },
  "a reward's fifth call": {
    code: (body) => `let calls = 0; export default () => ++calls < 5 ? 1 : ${body};`,
    commands: { train: (path) => train("--reward", path) },
  },
};

const DEEDS: Record<string, string> = {
  "throws": '(() => { throw new Error("broken"); })()',
  "rejects": 'Promise.reject(new Error("broken"))',
  "loops": "(() => { for (;;); })()",
  "never resolves": "new Promise(() => {})",
  "returns nonsense": '({ correct: "yes", reward: NaN, toString: "no" })',
  "leaks": "(() => { for (const all = [];;) all.push(new Array(1e6).fill(all.length)); })()",
  "exits": "Deno.exit(0)",
};

/** What is odd only where a value is asked for. */
const isHarmless = (place: string, deed: string) =>
  place.startsWith("the file") && deed === "returns nonsense";

/** Processes that still run a file. */
function leftOf(path: string): number[] {
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return isAlive(Number(name)) && Deno.readTextFileSync(`/proc/${name}/cmdline`).includes(path)
        ? [Number(name)]
        : [];
    } catch {
      return [];
    }
  });
}

const rows: unknown[][] = [];
let faults = 0;
let files = 0;
for (const [place, { code, commands }] of Object.entries(PLACES)) {
  for (const [deed, body] of Object.entries(DEEDS)) {
    const isWanted = Deno.args.length === 0 || Deno.args.some((word) => `${place} ${deed}`.includes(word));
    if (!isWanted || isHarmless(place, deed)) continue;
    for (const [command, args] of Object.entries(commands)) {
      const path = `${folder}/${++files}/own.ts`;
      Deno.mkdirSync(`${folder}/${files}`);
      Deno.writeTextFileSync(path, code(body));
      const began = performance.now();
      const words = args(path);
      const out = words[0] === "train" ? ["--out", `${folder}/${files}/run`] : [];
      const { code: status, stderr, isStruck } = await runStruck([...words, ...out], {
        signal: "SIGKILL",
        after: 180_000,
      });
      const seconds = (performance.now() - began) / 1000;
      await new Promise((resolve) => setTimeout(resolve, 300));
      const error = stderr.split("\n").find((line) => line.startsWith("error: ")) ?? "";
      const wrong = [
        isStruck ? "waits" : "",
        status !== 1 ? `status ${status}` : "",
        error.startsWith("error: Cannot ") && error.includes(path) ? "" : "not in words that name the file",
        /^ +at /m.test(stderr) ? "a stack" : "",
        leftOf(path).length > 0 ? "a process is left" : "",
      ].filter(Boolean);
      if (wrong.length > 0) {
        faults++;
        console.log(`FAULT ${place} ${deed}, ${command}: ${wrong.join(", ")}\n${stderr.slice(-1500)}`);
      }
      const told = error.replace("error: ", "").replace(path, "FILE").slice(0, 90);
      rows.push([place, deed, command, status, seconds.toFixed(0), told]);
      console.log(rows.at(-1)!.join(" | "));
    }
  }
}
Deno.removeSync(folder, { recursive: true });
const header = ["where", "what it does", "command", "status", "s", "what is told"];
console.log(`\n${table(rows, { header, width: 200 })}\n\n${rows.length} commands, ${faults} faults`);
Deno.exit(faults === 0 ? 0 : 1);
