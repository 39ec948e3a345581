import type { EntropyRow } from "../../eval/entropy.ts";
import type { ModeResult } from "../../eval/mode_result.ts";
import type { Estimate } from "../../eval/pass_at_k.ts";
import type { EvaluationReport } from "./eval_generation.ts";
import { table } from "../table.ts";

/** An evaluation as people read it: what was asked, a line a mode, and the entropy by position. */
export function describeEvaluation(report: EvaluationReport): string {
  const { task, model, split, questions, limited, samples, seed, gamma, modes, shots, chatTemplate } = report;
  const sampled = modes.some((mode) => mode.samples > 1);
  const about = [
    `${task.name} v${task.version}, ${limited ? "first " : ""}${questions} ${split} questions` +
    (limited ? " (limited)" : ""),
    ...(sampled ? [`${samples} samples`] : []),
    ...(shots > 0 ? [`${shots} shots`] : []),
    ...(chatTemplate ? ["chat template"] : []),
    `gamma ${gamma}`,
    `seed ${seed}`,
    `model ${model.name} (${model.hash.slice(0, 12)})`,
  ];
  return [about.join(", "), ...droppedRows(report), "", modeTable(modes), "", ...entropyTable(modes)].join(
    "\n",
  );
}

/** Rows of the split that are no questions, and why: `2 rows left out: no answer after ####`. */
function droppedRows({ data, split }: EvaluationReport): string[] {
  return Object.entries(data?.dropped[split] ?? {}).map(([why, rows]) =>
    `${rows} ${rows === 1 ? "row" : "rows"} left out: ${why}`
  );
}

/** Share of right answers with its standard error: `0.642 ± 0.030`. */
export function shownShare({ value, standardError }: Estimate): string {
  return `${value.toFixed(3)} ± ${standardError.toFixed(3)}`;
}

function modeTable(modes: readonly ModeResult[]): string {
  const ks = [...new Set(modes.flatMap((mode) => mode.passAt.map(({ k }) => k)))].filter((k) => k > 1);
  const header = [
    "mode",
    "right",
    ...ks.map((k) => `pass@${k}`),
    "extracted",
    "thinking",
    "by trigger",
    "entropy",
    "tokens/s",
    "GFLOP/s",
  ];
  const rows = modes.map((mode) => [
    mode.mode,
    shownShare(mode.accuracy),
    ...ks.map((k) => {
      const found = mode.passAt.find((one) => one.k === k);
      return found ? shownShare(found) : "-";
    }),
    mode.extracted.value.toFixed(3),
    mode.thinkingLength.toFixed(1),
    mode.ended.trigger.toFixed(3),
    mode.entropy?.toFixed(4) ?? "-",
    shownRate(mode.tokensPerSecond),
    shownRate(mode.flops / mode.seconds / 1e9),
  ]);
  return table(rows, { header, align: ["left", ...header.slice(1).map(() => "right" as const)] });
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
  return ["Entropy of the next token (nats), by thinking position", "", table(rows, { header })];
}

function meanOf(rows: readonly EntropyRow[]): number | undefined {
  const count = rows.reduce((sum, row) => sum + row.count, 0);
  return count === 0 ? undefined : rows.reduce((sum, row) => sum + row.mean * row.count, 0) / count;
}
