/**
 * Speed of the answer checker on gold answers of GSM8K, MATH and OlympiadBench paired with model-like answers, and its
 * ratio to Math-Verify on a part of the same pairs, or to the checker of another checkout on all of them, in the same run.
 *
 *     deno run -A tests/bench/answers_bench.ts [--python PATH]     PATH: a Python that has math-verify[antlr4_13_2]
 *     deno run -A tests/bench/answers_bench.ts [--beside DIR]      DIR: another checkout of this repository
 */
import { execFileSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadEngine } from "../../eval/answer/algebra/engine.ts";
import { verify } from "../../eval/answer/verify.ts";
import { random, readGolds } from "../eval/answer/support/data_sets.ts";

interface Pair {
  gold: string;
  answer: string;
}

/** How many pairs Math-Verify gets: it takes milliseconds for each. */
const SHARED = 1500;

const next = random(11);
const pick = <T>(from: T[]): T => from[Math.floor(next() * from.length)];

/** What models write for a gold answer: the same, the same otherwise, a slip, another problem's answer. */
const ANSWERS: ((gold: string, golds: string[]) => string)[] = [
  (gold) => gold,
  (gold) => gold.replaceAll("\\frac", "\\dfrac").replace(/([+=])/g, " $1 "),
  (gold) => `x = ${gold}`,
  (gold) => gold.replace(/\\d?frac\{(\d+)\}\{(\d+)\}/, (_, a, b) => String(Number(a) / Number(b))),
  (gold) => gold.replace(/\d(?!.*\d)/, (d) => String((Number(d) + 1) % 10)),
  (gold) => `${gold} + 1`,
  (gold) => gold.replace(/\\sqrt\{(\w+)\}/g, "$1^{1/2}"),
  (_, golds) => pick(golds),
];

function summary(times: number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(4);
  const mean = sorted.reduce((a, b) => a + b, 0) / sorted.length;
  return `median ${at(0.5)} ms, mean ${mean.toFixed(4)} ms, 99th percentile ${at(0.99)} ms, slowest ${
    at(1)
  } ms`;
}

function timed(pairs: Pair[]): { times: number[]; equal: boolean[] } {
  const times: number[] = [];
  const equal = pairs.map(({ gold, answer }) => {
    const start = performance.now();
    const verdict = verify(gold, answer, { percent: true });
    times.push(performance.now() - start);
    return verdict.equal;
  });
  return { times, equal };
}

const MATH_VERIFY = `
import json, sys, time
from math_verify import parse, verify
wrap = lambda s: s if "$" in s else "$" + s + "$"
for line in sys.stdin:
    pair = json.loads(line)
    start = time.perf_counter()
    try:
        equal = verify(parse(wrap(pair["gold"])), parse(wrap(pair["answer"])))
    except Exception:
        equal = False
    print(json.dumps([1000 * (time.perf_counter() - start), bool(equal)]))
`;

/** Judges the pairs on stdin five times and prints the shortest time of each, in milliseconds. */
const SHORTEST = `
import { loadEngine } from "./eval/answer/algebra/engine.ts";
import { verify } from "./eval/answer/verify.ts";
await loadEngine();
const pairs = JSON.parse(await new Response(Deno.stdin.readable).text());
const times = pairs.map(() => Infinity);
for (let k = 0; k < 5; k++) {
  pairs.forEach(({ gold, answer }, i) => {
    const start = performance.now();
    verify(gold, answer, { percent: true });
    times[i] = Math.min(times[i], performance.now() - start);
  });
}
console.log(JSON.stringify(times));
`;

/** The shortest times of the pairs with the checker of a checkout, in a process of its own. */
function shortestTimes(root: string, pairs: Pair[]): number[] {
  const file = `${root}/.answers_bench_${process.pid}.ts`;
  Deno.writeTextFileSync(file, SHORTEST);
  try {
    const args = ["run", "-A", "--no-check", "--no-lock", "--config", `${root}/deno.json`, file];
    const output = execFileSync(Deno.execPath(), args, {
      cwd: root,
      input: JSON.stringify(pairs),
      maxBuffer: 1 << 28,
    });
    return JSON.parse(output.toString());
  } finally {
    Deno.removeSync(file);
  }
}

/** Times beside those of another checkout, three turns each; of each pair the shortest counts, since the machine does other things too. */
function compareWith(other: string, pairs: Pair[]): void {
  const own = fileURLToPath(new URL("../../", import.meta.url));
  const times = [other, own].map(() => pairs.map(() => Infinity));
  for (let turn = 0; turn < 3; turn++) {
    [other, own].forEach((root, k) =>
      shortestTimes(root, pairs).forEach((time, i) => times[k][i] = Math.min(times[k][i], time))
    );
  }
  console.log(`${other}: ${summary(times[0])}`);
  console.log(`this checkout: ${summary(times[1])}`);
  const at = (k: number, share: number) =>
    [...times[k]].sort((a, b) => a - b)[Math.floor(share * pairs.length)];
  for (const share of [0.5, 0.9, 0.99]) {
    console.log(`ratio at ${share}: ${(at(1, share) / at(0, share)).toFixed(3)}`);
  }
}

const { values } = parseArgs({ options: { python: { type: "string" }, beside: { type: "string" } } });
await loadEngine();
const golds = (await readGolds()).filter(({ set }) => ["GSM8K", "MATH", "OlympiadBench"].includes(set)).map((
  g,
) => g.gold);
const pairs = golds.map((gold) => ({ gold, answer: pick(ANSWERS)(gold, golds) }));
timed(pairs.slice(0, 2000));
const { times, equal } = timed(pairs);
console.log(`softcot, ${pairs.length} pairs, ${equal.filter(Boolean).length} equal: ${summary(times)}`);

if (values.beside) compareWith(values.beside, pairs);
if (values.python) {
  const expressions = pairs.filter(({ gold }) => !/^-?[\d.,]+$/.test(gold));
  const shared = Array.from({ length: SHARED }, (_, k) => pick(k % 2 === 0 ? pairs : expressions));
  const ours = timed(shared);
  const input = shared.map((pair) => JSON.stringify(pair)).join("\n");
  const output = execFileSync(values.python, ["-c", MATH_VERIFY], {
    input,
    maxBuffer: 1 << 28,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const theirs = output.toString().trim().split("\n").map((line) => JSON.parse(line) as [number, boolean]);
  const total = (of: number[]) => of.reduce((a, b) => a + b, 0);
  console.log(`softcot, ${SHARED} shared pairs:     ${summary(ours.times)}`);
  console.log(`Math-Verify, the same pairs: ${summary(theirs.map(([time]) => time))}`);
  console.log(
    `ratio of total times: ${(total(theirs.map(([time]) => time)) / total(ours.times)).toFixed(1)}`,
  );
  const differ = shared.filter((_, k) => ours.equal[k] !== theirs[k][1]);
  console.log(`verdicts differ on ${differ.length} of ${SHARED}:`);
  for (const { gold, answer } of differ.slice(0, 60)) {
    const verdict = verify(gold, answer, { percent: true });
    console.log(
      `  ${gold}  |  ${answer}: softcot ${verdict.equal ? "equal" : "not equal"} (${verdict.rule})`,
    );
  }
}
