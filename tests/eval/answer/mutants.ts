/**
 * Pairs made from the answers at hand by one change of a character and by respelling, judged, and held against the values
 * that another reader of LaTeX sees. Exits with 1 where a pair of different values is judged equal, or the clock decided.
 *
 *     deno run -A tests/eval/answer/mutants.ts [--pairs 30000] [--seed 11]
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { judgeMutants } from "./support/judge_mutants.ts";
import { answersAtHand, makeMutants } from "./support/make_mutants.ts";

const { values } = parseArgs({
  options: { pairs: { type: "string", default: "30000" }, seed: { type: "string", default: "11" } },
});
const answers = await answersAtHand();
const mutants = makeMutants(answers, Number(values.pairs), Number(values.seed));
const found = await judgeMutants(mutants);
console.log(`${mutants.length} pairs from ${answers.length} answers, seed ${values.seed}`);
console.log(
  `by one character: ${found.characters} (equal ${found.equalCharacters}), respelled: ${found.respelled} (equal ${found.equalRespelled})`,
);
console.log(`values differ: ${found.differ}, are the same: ${found.same}, cannot be told: ${found.untold}`);
console.log(`judged equal though the values differ: ${found.falseEqual.length}`);
for (const line of found.falseEqual) console.log(`  ${line}`);
console.log(`respelled and not judged equal, with the same values: ${found.missed.length}`);
for (const line of found.missed) console.log(`  ${line}`);
console.log(
  `stopped by the clock: ${found.stopped}; most work for one verdict: ${
    (found.slowest * 1000).toFixed(0)
  } ms`,
);
process.exitCode = found.falseEqual.length > 0 || found.stopped > 0 ? 1 : 0;
