/** `softcot sweep claims`: the rule on made-up runs whose verdicts are known, the grid, and the command as a process. */
import { assert, assertAlmostEquals, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { linesAtEnd } from "../../../cli/compare/line_values.ts";
import type { Line } from "../../../cli/compare/lines_of.ts";
import type { Measured } from "../../../cli/compare/read_measured.ts";
import type { RunRecord } from "../../../cli/compare/read_run.ts";
import { claimData, stoppedEarly } from "../../../cli/sweep/claims/claim_data.ts";
import { claimsGrid } from "../../../cli/sweep/claims/claims_grid.ts";
import { claimsPage } from "../../../cli/sweep/claims/claims_page.ts";
import { judgeClaims } from "../../../cli/sweep/claims/claims.ts";
import { all, any, judge } from "../../../cli/sweep/claims/judge.ts";
import { planSweep } from "../../../cli/sweep/read_sweep.ts";
import type { ModeResult } from "../../../eval/measures/mode_result.ts";
import { MODES } from "../../../eval/modes.ts";
import type { MetricsLine } from "../../../rl/train.ts";
import { testFolder } from "../../support/folders.ts";
import { fails, succeed } from "../support/run_softcot.ts";
import { smallModel } from "../support/small_model.ts";
import { sweepFile } from "../support/sweep_file.ts";

Deno.test("a part is told from three standard errors on, on either side of its bound", () => {
  const verdict = (value: number, standardError: number | null, bound: number) =>
    judge("q", { value, standardError }, bound).verdict;
  assertEquals(verdict(0.31, 0.1, 0), "holds");
  assertEquals(verdict(0.29, 0.1, 0), "cannot be told");
  assertEquals(verdict(-0.31, 0.1, 0), "does not hold");
  assertEquals(verdict(0, 0.01, -0.05), "holds");
  assertEquals(verdict(-0.03, 0.01, -0.05), "cannot be told");
  assertEquals(verdict(-0.09, 0.01, -0.05), "does not hold");
  assertEquals(verdict(0, 0, -0.05), "holds");
  assertEquals(verdict(0, 0, 0), "cannot be told");
  assertEquals(verdict(5, null, 0), "cannot be told");
  assertEquals(judge("q", null, 0).verdict, "cannot be told");
  assertEquals(all(["holds", "holds"]), "holds");
  assertEquals(all(["holds", "cannot be told", "does not hold"]), "does not hold");
  assertEquals(all(["holds", "cannot be told"]), "cannot be told");
  assertEquals(any(["does not hold", "holds"]), "holds");
  assertEquals(any(["does not hold", "cannot be told"]), "cannot be told");
  assertEquals(any(["does not hold", "does not hold"]), "does not hold");
});

/** What a made-up model is like. */
interface MadeUp {
  /** Right of 8 samples, on every question of `knows`; of the others none. */
  right: number;
  /** Questions of 40 that it can answer. */
  knows: number;
  entropy: number;
  nll: number;
  /** Share of questions that each greedy mode answers, where it is not that of `knows`. */
  greedy?: Partial<Record<string, number>>;
}

const QUESTIONS = 40;

function measuredAt(
  step: number,
  { right, knows, entropy, nll, greedy = {} }: MadeUp,
  seed: number,
): Measured {
  const modes = MODES.map((mode) => {
    const samples = mode.endsWith("sample") ? 8 : 1;
    const known = greedy[mode] ?? knows;
    const questions = Array.from({ length: QUESTIONS }, (_, q) => ({
      ...{ id: `${q}`, samples },
      correct: q < known ? (samples === 1 ? 1 : right) : 0,
    }));
    const result = {
      mode,
      samples,
      questions,
      entropy: entropy + 0.001 * seed,
      passAt: [1, 2, 4, 8].map((k) => ({ k })),
    };
    return {
      task: "t",
      result: { ...result, thinkingLength: 5, entropyByPosition: [] } as unknown as ModeResult,
    };
  });
  const answers = Array.from(
    { length: QUESTIONS },
    (_, q) => ({ id: `${q}`, correct: true, nll: nll + 0.001 * ((q + seed) % 3) }),
  );
  return { step, modes, choices: [{ task: "o", answers }] };
}

/** A line of three seeds, at its steps. */
function madeLine(name: string, steps: Record<number, MadeUp>, tokensPerSecond = 100): Line {
  const runs = [0, 1, 2].map((seed): RunRecord => ({
    ...{ folder: `${name}-${seed}`, settings: {}, seed },
    lines: [{ step: 1, tokens: tokensPerSecond + seed, time: { rollout: 1 } } as unknown as MetricsLine],
    measured: Object.entries(steps).map(([step, one]) => measuredAt(Number(step), one, seed)),
  }));
  return { name, runs };
}

const BASE: MadeUp = { right: 1, knows: 36, entropy: 0.2, nll: 1 };
const untrained: Line = {
  name: "untrained",
  runs: [{ folder: "u", settings: {}, seed: null, lines: [], measured: [measuredAt(0, BASE, 1)] }],
};
const hard = madeLine("hard", {
  10: { right: 2, knows: 34, entropy: 0.15, nll: 1.1 },
  100: { right: 6, knows: 26, entropy: 0.05, nll: 1.5 },
});

Deno.test("the paper's picture is judged as such: each claim holds", () => {
  const soft: MadeUp = { right: 4, knows: 36, entropy: 0.19, nll: 0.95, greedy: { "soft-greedy": 30 } };
  const data = claimData([
    untrained,
    hard,
    madeLine("soft", { 100: soft }),
    madeLine("fuzzy", { 100: soft }, 98),
  ]);
  assertEquals([data.task, data.choiceTask, data.k], ["t", "o", 8]);
  const { claims, lines, best, thinkingTerm } = judgeClaims(data);
  assertEquals(claims.map(({ letter, verdict }) => `${letter} ${verdict}`), [
    ...["a holds", "b holds", "c holds", "d holds", "e holds"],
  ]);
  assertEquals(best.map(({ value }) => value), [0.15, 0, 0, 0]);
  assertEquals(thinkingTerm, null);
  // Hard training moved the NLL by 0.5 up, soft by 0.05 down.
  assertAlmostEquals(lines[0].claims.c[0].value!, 0.45, 1e-9);
  assertAlmostEquals(lines[0].claims.d[0].value!, 0.065, 1e-9);
  assertAlmostEquals(lines[1].claims.e[0].value!, -0.02, 1e-3);
});

Deno.test("where soft training only moved less, the claims hold but not beside hard training stopped early", () => {
  const less: MadeUp = { right: 2, knows: 34, entropy: 0.15, nll: 1.1 };
  const lines = [untrained, hard, madeLine("soft", { 100: less }), madeLine("fuzzy", { 100: less })];
  const data = claimData(lines);
  assertEquals(stoppedEarly(data, data.ends.get("soft")!).map(({ step }) => step), [10, 10, 10]);
  const { claims, lines: [soft] } = judgeClaims(data);
  assertEquals(claims.map(({ letter, verdict, atEqual }) => `${letter} ${verdict}, ${atEqual}`), [
    "a holds, cannot be told",
    "b holds, undefined",
    "c holds, cannot be told",
    "d holds, cannot be told",
    "e holds, undefined",
  ]);
  // Entropy fell by a third as much as hard's: kept by the rule, but hard falls to the same at equal pass@1.
  assert(soft.claims.d[0].value! > 0);
  assertEquals(soft.gap, { value: 0, standardError: 0 });
  assertEquals(soft.stoppedAfter, [10, 10, 10]);
});

Deno.test("a seed of which nothing was measured takes its line from no table, and no verdict from the others", () => {
  const all = [untrained, hard, madeLine("soft", { 100: BASE }), madeLine("fuzzy", { 100: BASE })];
  const without = all.map(({ name, runs }) => ({
    name,
    runs: runs.map((run) => name === "soft" && run.seed === 1 ? { ...run, measured: [] } : run),
  }));
  const lines = linesAtEnd(without);
  const data = claimData(lines);
  assertEquals([...data.ends.values()].map(({ length }) => length), [1, 3, 2, 3]);
  const verdicts = judgeClaims(data);
  assert(verdicts.lines[0].claims.a.every(({ value }) => value !== null));
  const facts = {
    command: "c",
    version: "v",
    model: "m",
    device: "d",
    settings: "s",
    notes: ["left out: x"],
  };
  const page = claimsPage(data, verdicts, lines, facts);
  assertStringIncludes(page, "\n\nLeft out: x.\n\n### Verdicts");
  assertMatch(page, /^\| soft \| 2 \| 1 \| /m);
});

Deno.test("the opposite picture is judged as such: no claim holds", () => {
  const worse: MadeUp = {
    ...{ right: 1, knows: 16, entropy: 0.01, nll: 3 },
    greedy: { "hard-greedy": 10, "soft-greedy": 35, "fuzzy-greedy": 35 },
  };
  const slow = (name: string) => madeLine(name, { 100: worse }, 50);
  const { claims } = judgeClaims(claimData([untrained, hard, slow("soft"), slow("fuzzy")]));
  assertEquals(claims.map(({ verdict }) => verdict), Array(5).fill("does not hold"));
});

Deno.test("the grids that come with the program are plans: seven ways, five seeds; the quick one a fifth of the work", () => {
  const [whole, quick] = [false, true].map((one) => planSweep(claimsGrid(one), "sweeps/claims"));
  const shape = ({ runs }: typeof whole) => [new Set(runs.map(({ line }) => line)).size, runs.length];
  assertEquals([shape(whole), shape(quick)], [[7, 35], [7, 21]]);
  assertEquals(quick.evaluations.map(({ at }) => at), [[0, "end"], [10, 20]]);
  assertEquals(whole.runs[0].resolved.model, "sweeps/claims/base");
});

Deno.test("the command, as a process on a small sweep of one's own: a page with every section, verdicts as JSON", async () => {
  const { folder, model } = await smallModel();
  const ways = ["hard", "soft", "fuzzy"].map((way) => `[[grid.way]]\nname = "${way}"\nthinking = "${way}"\n`);
  const file = `${folder}/small.toml`;
  Deno.writeTextFileSync(
    file,
    sweepFile({ model, ways: ways.join(""), at: '[0, "end"]', modes: [...MODES] }),
  );
  const out = `${folder}/small`;
  const { stdout } = await succeed(["sweep", "claims", file, "--out", out, "--jobs", "2"]);
  assertEquals(stdout, Deno.readTextFileSync(`${out}/claims.md`) + "\n");
  assertMatch(stdout, /^\| \(a\) soft or fuzzy training .* pass@2 \| \*\*[a-z ]+\*\* \| [a-z ]+ \|$/m);
  assertMatch(
    stdout,
    /^\| NLL moved: hard - soft \| [+-]\d\.\d{4} ± \d\.\d{4} \| 0 \| -?\d+\.\d \| [a-z ]+ \|$/m,
  );
  for (const section of ["Verdicts", "The parts", "Controls", "Entropy by position", "By the clock"]) {
    assertStringIncludes(stdout, `\n### ${section}\n`);
  }
  assert(!stdout.includes("NaN") && !stdout.includes("undefined"), stdout);
  const again = JSON.parse((await succeed(["sweep", "claims", file, "--out", out, "--json"])).stdout);
  assertEquals(again.failures, []);
  assertEquals(again.verdicts.claims.length, 5);
  assertEquals(Deno.readTextFileSync(`${out}/claims.md`) + "\n", stdout);
});

Deno.test("a sweep without the lines of the claims is refused; --quick goes with no file", async () => {
  const folder = await testFolder();
  const file = `${folder}/x.toml`;
  Deno.writeTextFileSync(file, "");
  await fails(["sweep", "claims", file, "--quick"], 2, "--quick goes with the grid of the program alone");
  await fails(["sweep", "claims", file, "--out", `${folder}/y`], 1, "no line is named hard, soft, fuzzy");
});
