import { MODES } from "../../../eval/modes.ts";
import type { EntropyRow } from "../../../eval/measures/entropy_profile.ts";
import { spreadOf } from "../../compare/comparison_rows.ts";
import { markdownTable, shownDifference, shownSpread } from "../../compare/comparison_table.ts";
import { costOf } from "../../compare/cost_of.ts";
import { type Crossed, deviation, mean } from "../../compare/crossed.ts";
import {
  answersOf,
  at,
  modeOf,
  type Point,
  pointsOf,
  valuesAt,
  type ValuesOf,
} from "../../compare/line_values.ts";
import type { Line } from "../../compare/lines_of.ts";
import { type ClaimData, entropy, nll, pass } from "./claim_data.ts";
import { type LineVerdicts, rolloutSpeed, type Verdicts } from "./claims.ts";
import type { Part } from "./judge.ts";

/** What ran, for the head of the page. */
export interface PageFacts {
  command: string;
  /** softcot's version and commit. */
  version: string;
  /** SHA-256 of the untrained model. */
  model: string;
  device: string;
  /** What the runs were told alike, and their seeds. */
  settings: string;
  /** What is left out, and why. */
  notes: readonly string[];
}

/** The page of verdicts in Markdown: what was run, the verdicts with their numbers, the tables behind them, and what the clock said. */
export function claimsPage(
  data: ClaimData,
  verdicts: Verdicts,
  lines: readonly Line[],
  facts: PageFacts,
): string {
  const claimed = verdicts.lines.slice(0, 2), others = verdicts.lines.slice(2);
  return [
    "## What softcot sweep claims gave",
    head(data, facts),
    ...facts.notes.map((note) => `${note[0].toUpperCase()}${note.slice(1)}.`),
    "### Verdicts",
    markdownTable(
      ["claim", "verdict", "at equal pass@1"],
      verdicts.claims.map(({ letter, claim, verdict, atEqual }) => [
        `(${letter}) ${claim}`,
        `**${verdict}**`,
        atEqual ?? "",
      ]),
    ),
    "(e) is of the clock; all else on this page, down to the last section, is the same on every run.",
    "### The parts",
    partsTable([
      ...claimed.flatMap(({ claims }) => claims.a),
      ...verdicts.best,
      ...claimed.flatMap(({ claims }) => claims.c),
      verdicts.hardFalls,
      ...claimed.flatMap(({ claims }) => claims.d),
    ]),
    "### Controls",
    "Beside hard training stopped early, where pass@1 with drawn tokens is about equal; the gap is what is left of it. Stopped after so many " +
    "updates, seed by seed; after 0 it is the untrained model, whose NLL has not moved.",
    equalTable(claimed),
    ...(verdicts.thinkingTerm ? [partsTable([verdicts.thinkingTerm])] : []),
    ...(others.length > 0 ? ["### The other ways, by the same rules", othersTable(others)] : []),
    "### Every training in every mode",
    "Pass@1, mean ± standard deviation over seeds.",
    modesTable(data, 1),
    `Pass@${data.k} of the modes that draw.`,
    modesTable(data, data.k),
    "### pass@k against pass@1 over checkpoints",
    "Drawn tokens; means over seeds.",
    curveTable(data, lines),
    "### Entropy by position",
    "Of the next token in nats, drawn tokens, by step of thinking; means over all steps of all seeds there.",
    entropyTable(data),
    "### What training took",
    costTable(lines),
    "### By the clock",
    "Depends on the machine and on what else it did. Tokens a second are those of rollouts, MiB the most that a process and the device held.",
    clockTable(data, lines),
    partsTable(verdicts.lines.flatMap(({ claims }) => claims.e)),
  ].join("\n\n") + "\n";
}

function head({ ends, task, choiceTask, k }: ClaimData, facts: PageFacts): string {
  const [untrained] = ends.get("untrained")!;
  const measured = at(untrained.run, untrained.step)!;
  const questions = modeOf(measured, task, "hard-sample")!.questions.length;
  const asked = choiceTask && answersOf(measured, choiceTask)?.length;
  const outside = asked ? `${asked} of \`${choiceTask}\`` : "nothing";
  const seeds = ends.get("hard")!.map(({ run }) => run.seed).join(", ");
  return [
    `    ${facts.command}`,
    "",
    `softcot ${facts.version}; untrained model ${facts.model.slice(0, 16)}..., on ${facts.device}. ` +
    `${questions} test questions of \`${task}\`, ${k} samples each; out of domain ${outside}. ` +
    `Seeds ${seeds}; ${facts.settings}.`,
  ].join("\n");
}

function partsTable(parts: readonly Part[]): string {
  return markdownTable(
    ["q", "q ± s", "b", "(q - b) / s", "part"],
    parts.map((part) => [part.what, shownPart(part), `${part.bound}`, shownErrors(part), part.verdict]),
  );
}

const shownPart = ({ value, standardError }: Part): string =>
  value === null ? "-" : shownDifference({ value, standardError }, 4);

function shownErrors({ errors }: Part): string {
  if (errors === null) return "-";
  return Number.isFinite(errors) ? errors.toFixed(1) : errors > 0 ? "without scatter" : "-, without scatter";
}

function equalTable(lines: readonly LineVerdicts[]): string {
  return markdownTable(
    ["q", "q ± s", "(q - b) / s", "part", "gap in pass@1", "stopped after"],
    lines.flatMap(({ atEqual, gap, stoppedAfter }) =>
      [atEqual.a, atEqual.c, atEqual.d].map((part) => [
        ...[part.what, shownPart(part), shownErrors(part), part.verdict],
        ...[shownDifference(gap, 4), stoppedAfter.join(", ")],
      ])
    ),
  );
}

function othersTable(lines: readonly LineVerdicts[]): string {
  const cell = (part: Part) => `${shownPart(part)}: ${part.verdict}`;
  return markdownTable(
    [
      ...["line", "(a) pass@1", "(a) pass@k", "at equal pass@1", "(c)", "at equal", "(d) keeps", "at equal"],
      "hard stopped after",
    ],
    lines.map(({ line, claims, atEqual, stoppedAfter }) => [
      line,
      ...[...claims.a, atEqual.a, ...claims.c, atEqual.c, ...claims.d, atEqual.d].map(cell),
      stoppedAfter.join(", "),
    ]),
  );
}

/** Mean and standard deviation over seeds of what the runs of a line came to. */
function spread(points: readonly Point[], values: ValuesOf, digits: number): string {
  const found = valuesAt(points, values);
  return shownSpread(found && spreadOf(found), digits);
}

function modesTable(data: ClaimData, k: number): string {
  const modes = MODES.filter((mode) => k === 1 || mode.endsWith("sample"));
  return markdownTable(
    ["trained", ...modes],
    [...data.ends].map(([name, points]) => [
      name,
      ...modes.map((mode) => spread(points, pass(data, mode, k), 3)),
    ]),
  );
}

function curveTable(data: ClaimData, lines: readonly Line[]): string {
  const ks = [1, 2, 4, 8, 16, 32, 64, 128].filter((k) => k <= data.k);
  const row = (line: Line, step: number) => {
    const points = pointsOf(line, step);
    const cell = (values: ValuesOf, digits: number) => {
      const found = valuesAt(points, values);
      return found ? mean(found.values.map(mean)).toFixed(digits) : "-";
    };
    return [
      ...[line.name, `${step}`],
      ...ks.map((k) => cell(pass(data, "hard-sample", k), 3)),
      ...[cell(pass(data, "hard-greedy", 1), 3), cell(entropy(data), 4), cell(nll(data), 4)],
    ];
  };
  const steps = ({ runs }: Line) =>
    [...new Set(runs.flatMap(({ measured }) => measured.map(({ step }) => step)))].sort((a, b) => a - b);
  return markdownTable(
    ["line", "updates", ...ks.map((k) => `pass@${k}`), "greedy", "entropy", "NLL"],
    lines.flatMap((line) => steps(line).map((step) => row(line, step))),
  );
}

const RANGES = [0, 1, 2, 4, 8, 16, 24, 32, 48, 64];

function entropyTable(data: ClaimData): string {
  const rowsOf = ({ run, step }: Point): EntropyRow[] =>
    modeOf(at(run, step)!, data.task, "hard-sample")?.entropyByPosition ?? [];
  const longest = Math.max(...[...data.ends.values()].flat().map((point) => rowsOf(point).length));
  const starts = RANGES.filter((start) => start < longest);
  const ends = starts.map((_, i) => starts[i + 1] ?? longest);
  const cell = (rows: readonly EntropyRow[]) => {
    const count = rows.reduce((sum, row) => sum + row.count, 0);
    return count === 0 ? "-" : (rows.reduce((sum, row) => sum + row.mean * row.count, 0) / count).toFixed(4);
  };
  return markdownTable(
    ["line", ...starts.map((start, i) => ends[i] - start === 1 ? `${ends[i]}` : `${start + 1}-${ends[i]}`)],
    [...data.ends].map(([name, points]) => [
      name,
      ...starts.map((start, i) => cell(points.flatMap((point) => rowsOf(point).slice(start, ends[i])))),
    ]),
  );
}

/** Lines that were trained, with the cost of their whole training. */
const costs = (lines: readonly Line[]) =>
  lines.flatMap(({ name, runs }) => {
    const cost = costOf(runs, Infinity);
    return cost ? [{ name, runs, cost }] : [];
  });

function costTable(lines: readonly Line[]): string {
  return markdownTable(
    ["line", "runs", "updates", "tokens a run", "TFLOP a run", "MFLOP a token"],
    costs(lines).map(({ name, runs, cost: { updates, tokens, flops } }) => [
      ...[name, `${runs.length}`, `${updates}`, tokens.toFixed(0)],
      ...[(flops / 1e12).toFixed(4), (flops / tokens / 1e6).toFixed(3)],
    ]),
  );
}

function clockTable({ ends }: ClaimData, lines: readonly Line[]): string {
  const MiB = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
  const speed = (name: string): Crossed => ({
    value: mean(ends.get(name)!.map(rolloutSpeed)),
    standardError: deviation(ends.get(name)!.map(rolloutSpeed)),
  });
  return markdownTable(
    ["line", "s of updates a run", "tokens/s, mean ± sd", "MiB, process", "MiB, device"],
    costs(lines).map(({ name, cost: { seconds, processBytes, deviceBytes } }) => {
      const { value, standardError } = speed(name);
      const sd = standardError === null ? "" : ` ± ${standardError.toFixed(0)}`;
      return [name, seconds.toFixed(0), `${value.toFixed(0)}${sd}`, MiB(processBytes), MiB(deviceBytes)];
    }),
  );
}
