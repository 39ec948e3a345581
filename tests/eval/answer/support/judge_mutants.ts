/** Verdicts on mutants, held against what another reader of LaTeX says of their values. */
import process from "node:process";
import { loadEngine } from "../../../../eval/answer/algebra/engine.ts";
import { verify } from "../../../../eval/answer/verify.ts";
import { differInValue } from "./independent_value.ts";
import type { Mutant } from "./make_mutants.ts";

/** What came of it; lines name the pairs. */
interface Judgement {
  characters: number;
  equalCharacters: number;
  respelled: number;
  equalRespelled: number;
  differ: number;
  same: number;
  untold: number;
  falseEqual: string[];
  missed: string[];
  stopped: number;
  /** seconds of processor time */
  slowest: number;
}

function busySeconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
}

/**
 * Judges mutants as training does, with 0.2 s for each.
 *
 * @param onlyEqual asks for values only where the verdict is "equal": quicker, and enough to see a wrong one
 */
export async function judgeMutants(mutants: Mutant[], onlyEqual = false): Promise<Judgement> {
  await loadEngine();
  const all: Judgement = {
    characters: 0,
    equalCharacters: 0,
    respelled: 0,
    equalRespelled: 0,
    differ: 0,
    same: 0,
    untold: 0,
    falseEqual: [],
    missed: [],
    stopped: 0,
    slowest: 0,
  };
  for (const { gold, answer, how } of mutants) {
    const before = busySeconds();
    const { equal, rule } = verify(gold, answer, { timeLimit: 0.2 });
    all.slowest = Math.max(all.slowest, busySeconds() - before);
    if (rule === "time") all.stopped++;
    const byCharacter = how === "character";
    all[byCharacter ? "characters" : "respelled"]++;
    if (equal) all[byCharacter ? "equalCharacters" : "equalRespelled"]++;
    const differ = equal || !onlyEqual ? differInValue(gold, answer) : null;
    all[differ === null ? "untold" : differ ? "differ" : "same"]++;
    const line = `${how}: ${gold}  |  ${answer}: ${rule}`;
    if (equal && differ === true) all.falseEqual.push(line);
    if (!equal && differ === false && !byCharacter) all.missed.push(line);
  }
  return all;
}
