import type { EntropyRow } from "../../eval/measures/entropy_profile.ts";
import type { ModeResult } from "../../eval/measures/mode_result.ts";
import type { Estimate } from "../../eval/measures/pass_at_k.ts";
import { dashed } from "../settings/dashed.ts";
import { counted } from "../terminal/counted.ts";
import { describeWorkersUsed } from "./workers_used.ts";
import { table } from "../terminal/table.ts";
import type { EvaluationReport } from "./evaluation_report.ts";

/** An evaluation as people read it: what was asked of what, a line a mode, pass@k, and the entropy by position. */
export function describeEvaluation(report: EvaluationReport): string {
  const { modes } = report;
  const parts = [
    heading(report),
    modeTable(modes),
    ...passTable(modes),
    ...extremeNote(modes),
    ...entropyTable(modes),
    ...(report.workers ? [describeWorkersUsed(report.workers)] : []),
  ];
  return parts.join("\n\n");
}

/** What decides the numbers: what was asked, the limits, and the model with what it ran on. */
function heading(report: EvaluationReport): string {
  const { task, model, device, seed, gamma, tau, modes, shots, chatTemplate, system, filters, mixing = {} } =
    report;
  const { maxThinking, answerTokens, samples } = report;
  const noisy = modes.some(({ mode }) => mode === "soft-sample" || mode === "fuzzy-sample");
  const filtered = Object.entries({ ...filters, ...mixing }).filter(([, value]) => value !== undefined);
  const asked = [
    `${task.name} v${task.version}, ${askedQuestions(report)}`,
    ...(modes.some((mode) => mode.samples > 1) ? [`${samples} samples`] : []),
    ...(shots > 0 ? [counted(shots, "shot")] : []),
    ...(chatTemplate ? [system === undefined ? "chat template" : "chat template with a system message"] : []),
    `at most ${maxThinking} thinking and ${answerTokens} answer tokens`,
    ...(noisy ? [`gamma ${gamma}`] : []),
    ...(tau === undefined ? [] : [`tau ${tau}`]),
    ...filtered.map(([name, value]) => `${dashed(name)} ${value}`),
    `seed ${seed}`,
  ];
  const ran = `model ${model.name} (${model.hash.slice(0, 12)}), ${model.weights} weights, on ${device.name}`;
  return [asked.join(", "), ran, ...droppedRows(report)].join("\n");
}

/** `first 20 test questions (limited)`. */
export function askedQuestions(
  { split, questions, limited }: { split: string; questions: number; limited: boolean },
): string {
  const counted = questions === 1 ? `${split} question` : `${questions} ${split} questions`;
  return limited ? `first ${counted} (limited)` : questions === 1 ? `1 ${counted}` : counted;
}

/** Rows of the split that are no questions, and why: `2 rows left out: no answer after ####`. */
function droppedRows({ data, split }: EvaluationReport): string[] {
  return Object.entries(data?.dropped[split] ?? {}).map(([why, rows]) =>
    `${counted(rows, "row")} left out: ${why}`
  );
}

/** Share of right answers with its standard error: `0.642 ± 0.030`. */
function shownShare({ value, standardError }: Estimate): string {
  return `${value.toFixed(3)} ± ${standardError.toFixed(3)}`;
}

function modeTable(modes: readonly ModeResult[]): string {
  const ks = triesOf(modes);
  // More than one would make the table wider than a terminal.
  const [k] = ks.length === 1 ? ks : [];
  const header = [
    "mode",
    "right",
    ...(k === undefined ? [] : [`pass@${k}`]),
    "extracted",
    "thinking",
    "by trigger",
    "at limit",
    "entropy",
    "tokens/s",
    "GFLOP/s",
  ];
  const rows = modes.map((mode) => [
    mode.mode,
    shownShare(mode.accuracy),
    ...(k === undefined ? [] : [shownPass(mode, k)]),
    mode.extracted.value.toFixed(3),
    mode.thinkingLength.toFixed(1),
    mode.ended.trigger.toFixed(3),
    mode.ended.limit.toFixed(3),
    mode.entropy?.toFixed(4) ?? "-",
    shownRate(mode.tokensPerSecond),
    shownRate(mode.flops / mode.seconds / 1e9),
  ]);
  return table(rows, { header, align: ["left", ...header.slice(1).map(() => "right" as const)] });
}

/** How the error of a share of 0 or 1 is meant, where one is shown. */
function extremeNote(modes: readonly ModeResult[]): string[] {
  const isExtreme = ({ value }: Estimate) => value === 0 || value === 1;
  return modes.some(({ accuracy, passAt }) => [accuracy, ...passAt].some(isExtreme))
    ? ["Where all or none are right, the ± is that of a share of (c + 1) / (n + 2), c right of n questions."]
    : [];
}

/** The numbers of tries above 1 that any mode has a pass@k of. */
const triesOf = (modes: readonly ModeResult[]): number[] =>
  [...new Set(modes.flatMap((mode) => mode.passAt.map(({ k }) => k)))].filter((k) => k > 1);

function shownPass({ passAt }: ModeResult, k: number): string {
  const found = passAt.find((one) => one.k === k);
  return found ? shownShare(found) : "-";
}

/** A line for each number of tries, where there are several. */
function passTable(modes: readonly ModeResult[]): string[] {
  const ks = triesOf(modes);
  if (ks.length < 2) return [];
  const sampled = modes.filter(({ passAt }) => passAt.length > 1);
  const rows = ks.map((k) => [`pass@${k}`, ...sampled.map((mode) => shownPass(mode, k))]);
  const header = ["", ...sampled.map(({ mode }) => mode)];
  return [table(rows, { header, align: ["left", ...sampled.map(() => "right" as const)] })];
}

const shownRate = (rate: number): string => rate < 10 ? rate.toPrecision(2) : rate.toFixed(0);

const ENTROPY_ROWS = 8;

/** Entropy in at most 8 ranges of positions, a column a mode; empty cells where nothing was thought. */
function entropyTable(modes: readonly ModeResult[]): string[] {
  const longest = Math.max(...modes.map((mode) => mode.entropyByPosition.length));
  if (longest === 0) return [];
  const width = Math.ceil(longest / ENTROPY_ROWS);
  const starts = Array.from({ length: Math.ceil(longest / width) }, (_, i) => i * width);
  const rows = starts.map((start) => {
    const end = Math.min(start + width, longest);
    return [
      end - start === 1 ? `${start + 1}` : `${start + 1}-${end}`,
      ...modes.map((mode) => meanOf(mode.entropyByPosition.slice(start, end))?.toFixed(4) ?? "-"),
    ];
  });
  const header = ["position", ...modes.map((mode) => mode.mode)];
  return [`Entropy of the next token (nats), by thinking position\n\n${table(rows, { header })}`];
}

function meanOf(rows: readonly EntropyRow[]): number | undefined {
  const count = rows.reduce((sum, row) => sum + row.count, 0);
  return count === 0 ? undefined : rows.reduce((sum, row) => sum + row.mean * row.count, 0) / count;
}
