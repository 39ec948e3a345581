import { counted } from "../terminal/counted.ts";
import { table } from "../terminal/table.ts";
import type { Comparison } from "./comparison.ts";
import type { ComparisonRow, Spread } from "./comparison_rows.ts";
import type { Crossed } from "./crossed.ts";

/** A column for people, and what stands in it. */
type Column = [name: string, cell: (row: ComparisonRow) => string];

/** Mean and standard deviation over runs: `0.642 ± 0.030`, or the mean alone. */
export function shownSpread(spread: Spread | null | undefined, digits = 3): string {
  if (!spread) return "-";
  return spread.mean.toFixed(digits) + (spread.sd === null ? "" : ` ± ${spread.sd.toFixed(digits)}`);
}

/** A difference and its standard error, with its sign: `+0.120 ± 0.031`. */
export function shownDifference(difference: Crossed | null | undefined, digits = 3): string {
  if (!difference) return "-";
  const { value, standardError } = difference;
  const error = standardError === null ? "" : ` ± ${standardError.toFixed(digits)}`;
  return `${value < 0 ? "" : "+"}${value.toFixed(digits)}${error}`;
}

const VALIDATION: Column = ["validation", ({ validation }) => shownSpread(validation)];

function columnsOf({ rows, against }: Comparison): Column[] {
  const ks = [...new Set(rows.flatMap(({ passAt }) => passAt.map(({ k }) => k)))].sort((a, b) => a - b);
  const passOf = (row: ComparisonRow, k: number) => row.passAt.find((one) => one.k === k);
  const tasks = new Set(rows.map(({ task }) => task));
  const choices = [...new Set(rows.flatMap((row) => row.choices.map(({ task }) => task)))];
  const choiceOf = (row: ComparisonRow, task: string) => row.choices.find((one) => one.task === task);
  const told = [1, ks.at(-1) ?? 1].filter((k, i) => ks.includes(k) && (i === 0 || k > 1));
  const cost = (value: (cost: NonNullable<ComparisonRow["cost"]>) => string) => (row: ComparisonRow) =>
    row.cost === null ? "-" : value(row.cost);
  return [
    ["line", ({ line }) => line],
    ["runs", ({ runs }) => `${runs}`],
    ["updates", ({ step }) => `${step}`],
    ...(tasks.size > 1 ? [["task", ({ task }) => task ?? "-"] satisfies Column] : []),
    ["mode", ({ mode }) => mode ?? "-"],
    ...ks.map((k): Column => [`pass@${k}`, (row) => shownSpread(passOf(row, k))]),
    ...told.map((k): Column => [
      `pass@${k} - ${against}`,
      (row) => shownDifference(passOf(row, k)?.difference),
    ]),
    ["entropy", ({ entropy }) => shownSpread(entropy, 4)],
    ["length", ({ length }) => shownSpread(length, 1)],
    ...choices.flatMap((task): Column[] => [
      [`NLL ${task}`, (row) => shownSpread(choiceOf(row, task)?.nll)],
      [`NLL ${task} - ${against}`, (row) => shownDifference(choiceOf(row, task)?.nll.difference)],
    ]),
    ...(rows.some(({ validation }) => validation) ? [VALIDATION] : []),
    ...(isOffPolicy(rows)
      ? [["off-policy", cost(({ rolloutAge }) => `${rolloutAge}`)] satisfies Column]
      : []),
    ["tokens", cost(({ tokens }) => tokens.toFixed(0))],
    ["s", cost(({ seconds }) => seconds.toFixed(0))],
    ["TFLOP", cost(({ flops }) => (flops / 1e12).toPrecision(3))],
    ["MiB", cost(({ processBytes }) => (processBytes / 2 ** 20).toFixed(0))],
    ["device MiB", cost(({ deviceBytes }) => (deviceBytes / 2 ** 20).toFixed(0))],
  ];
}

const isOffPolicy = (rows: readonly ComparisonRow[]): boolean =>
  rows.some(({ cost }) => (cost?.rolloutAge ?? 0) > 0);

/** Sentences below a table. */
function notesOf({ against, end, rows, notes }: Comparison): string[] {
  const reference = `${against}${end > 0 ? ` after its ${counted(end, "update")}` : ""}`;
  return [
    `± is the standard deviation over runs; of differences (to ${reference}, paired by seed and question) the standard error. ` +
    "tokens, s and TFLOP are those of the updates, MiB the most that a process held" +
    (isOffPolicy(rows) ? "; off-policy are the most updates that rollouts were old" : ""),
    ...notes,
  ];
}

/** A comparison as people read it. */
export function describeComparison(comparison: Comparison): string {
  const columns = columnsOf(comparison);
  const cells = comparison.rows.map((row) => columns.map(([, cell]) => cell(row)));
  const align = columns.map(([name]) => ["line", "task", "mode"].includes(name) ? "left" : "right");
  return `${
    table(cells, { header: columns.map(([name]) => name), align: align as ("left" | "right")[] })
  }\n\n${notesOf(comparison).join("\n")}`;
}

/** The same as a table in Markdown. */
export function comparisonMarkdown(comparison: Comparison): string {
  const columns = columnsOf(comparison);
  const rows = comparison.rows.map((row) => columns.map(([, cell]) => cell(row)));
  return `${markdownTable(columns.map(([name]) => name), rows)}\n\n${notesOf(comparison).join(".\n\n")}.`;
}

/** A table in Markdown. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

/** All numbers, a column each, as RFC 4180 has it; empty where there is none. */
export function comparisonCsv({ rows }: Comparison): string {
  const ks = [...new Set(rows.flatMap(({ passAt }) => passAt.map(({ k }) => k)))].sort((a, b) => a - b);
  const tasks = [...new Set(rows.flatMap(({ choices }) => choices.map(({ task }) => task)))];
  const records = rows.map((row) => {
    const passes = ks.map((k) => numbersOf(`pass@${k}`, row.passAt.find((one) => one.k === k)));
    const chosen = tasks.flatMap((task) => {
      const one = row.choices.find((one) => one.task === task);
      return [numbersOf(`NLL ${task}`, one?.nll), numbersOf(`accuracy ${task}`, one?.accuracy)];
    });
    return {
      ...{ line: row.line, runs: row.runs, updates: row.step, task: row.task, mode: row.mode },
      ...Object.assign({}, ...passes, numbersOf("entropy", row.entropy), numbersOf("length", row.length)),
      ...Object.assign({}, ...chosen, numbersOf("validation", row.validation)),
      ...row.cost,
    };
  });
  const header = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const cell = (value: unknown) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [header, ...records.map((record) => header.map((key) => record[key as keyof typeof record]))]
    .map((cells) => cells.map(cell).join(",")).join("\n");
}

function numbersOf(name: string, spread: Spread | null | undefined): Record<string, number | null> {
  return {
    [name]: spread?.mean ?? null,
    [`${name} sd`]: spread?.sd ?? null,
    [`${name} difference`]: spread?.difference?.value ?? null,
    [`${name} standard error`]: spread?.difference?.standardError ?? null,
  };
}
