import { cardOf } from "./cards.ts";
import { type Figure, type PartResult, valueOf } from "./part.ts";

// A weight's bytes in generation, and operations of a weight and token.
const [F16, OPERATIONS] = [2, 2];
const percent = (share: number) => `${(100 * share).toFixed(0)}%`;

/** What is said of a speed that nothing here can be held against. */
const UNPUBLISHED = "no published figure";
const SPEEDS = ["GFLOP/s", "GB/s", "tokens/s", "s", "us"];

/**
 * Says what figures should be near that follow from other figures of the same hour, or from the card's data sheet: peaks from
 * the sheet, decoding from bandwidth, prefill from the peak of multiply-adds. Of a speed of which nobody has published any, that.
 */
export function addExpectations(adapter: string, results: readonly PartResult[]): void {
  const rates = results.find(({ name }) => name === "rates")?.figures ?? [];
  const card = cardOf(adapter);
  const sheet = card && { flops: card.peak / 1e9, bytes: card.memory / 1e9 };
  const flops = valueOf(rates, "multiply-adds");
  const bytes = valueOf(rates, "copy");
  for (const { name, figures } of results) {
    const weights = valueOf(figures, "weights");
    for (const figure of figures) {
      if (name === "rates" || name === "tune") figure.near ??= ofRate(figure, sheet, flops);
      else if (weights && flops && bytes) figure.near ??= ofModel(figure, weights / 1000, flops, bytes);
      if (SPEEDS.includes(figure.unit)) figure.near ??= UNPUBLISHED;
    }
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
  if (unit !== "GFLOP/s") return undefined;
  if (flops) return `${percent(value / flops)} of the multiply-adds of the part rates`;
  return sheet && `data sheet ${sheet.flops} of multiply-adds: ${percent(value / sheet.flops)} of it`;
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
