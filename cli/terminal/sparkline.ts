const BARS = "▁▂▃▄▅▆▇█";

/**
 * A course of numbers as a line of bars, at most `width` of them: each is the mean of as many numbers, and between the lowest and the highest of
 * these means. Numbers that are all alike are in the middle.
 */
export function sparkline(values: readonly number[], width: number): string {
  const count = Math.min(width, values.length);
  const means = Array.from({ length: count }, (_, i) => {
    const part = values.slice(
      Math.floor(i * values.length / count),
      Math.floor((i + 1) * values.length / count),
    );
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const [low, high] = [Math.min(...means), Math.max(...means)];
  const bar = (mean: number) =>
    high > low ? Math.min(BARS.length - 1, Math.floor((mean - low) / (high - low) * BARS.length)) : 3;
  return means.map((mean) => BARS[bar(mean)]).join("");
}
