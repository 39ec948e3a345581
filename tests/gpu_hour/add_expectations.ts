import { cardOf } from "./cards.ts";
import { type Figure, type PartResult, valueOf } from "./part.ts";

// A weight's bytes in generation, and operations of a weight and token.
const [F16, OPERATIONS] = [2, 2];
const percent = (share: number) => `${(100 * share).toFixed(0)}%`;

/**
 * Says what figures should be near that follow from other figures of the same hour, or from the card's data sheet: peaks from
 * the sheet, decoding from bandwidth, prefill from the peak of multiply-adds.
 */
export function addExpectations(adapter: string, results: readonly PartResult[]): void {
  const rates = results.find(({ name }) => name === "rates")?.figures ?? [];
  const [flops, bytes] = [valueOf(rates, "multiply-adds"), valueOf(rates, "copy")];
  const card = cardOf(adapter);
  for (const figure of rates) {
    figure.near ??= ofRate(figure, card && { flops: card.peak / 1e9, bytes: card.memory / 1e9 }, flops);
  }
  if (flops === undefined || bytes === undefined) return;
  for (const { name, figures } of results) {
    const weights = valueOf(figures, "weights");
    if (name === "rates" || weights === undefined) continue;
    for (const figure of figures) figure.near ??= ofModel(figure, weights / 1000, flops, bytes);
  }
}

function ofRate(
  { what, value, unit }: Figure,
  sheet: { flops: number; bytes: number } | undefined,
  flops: number | undefined,
): string | undefined {
  if (what === "multiply-adds") {
    return sheet && `data sheet ${sheet.flops}: ${percent(value / sheet.flops)} of it`;
  }
  if (what === "copy") return sheet && `data sheet ${sheet.bytes}: ${percent(value / sheet.bytes)} of it`;
  return unit === "GFLOP/s" && flops ? `${percent(value / flops)} of the multiply-adds above` : undefined;
}

/** @param weights in units of 10^9 */
function ofModel(
  { what, value, unit }: Figure,
  weights: number,
  flops: number,
  bytes: number,
): string | undefined {
  if (what.startsWith("decode at batch 1,")) {
    const bound = bytes / (F16 * weights);
    return `${percent(value / bound)} of ${bound.toFixed(0)}, at which all weights are read once a token`;
  }
  if (unit === "tokens/s") {
    const bound = flops / (OPERATIONS * weights);
    return `${percent(value / bound)} of ${bound.toFixed(0)}, at which nothing but multiply-adds takes time`;
  }
  return unit === "GFLOP/s" ? `${percent(value / flops)} of the multiply-adds` : undefined;
}
