/** Milliseconds between two of the same lines. */
const BETWEEN = 30_000;
/** Different things that are known; more are not told apart from new ones. */
const MOST = 100;

/**
 * Says what may come again and again: at once, then every half minute at most, with how often it was in between.
 * @returns says a line; `about` is what makes it the same as another, the line itself if left out
 */
export function sayAtTimes(
  say: (line: string) => void,
  between = BETWEEN,
): (line: string, about?: string) => void {
  const known = new Map<string, { told: number; since: number }>();
  return (line, about = line) => {
    const now = performance.now();
    const entry = known.get(about);
    if (entry && now - entry.told < between) return void entry.since++;
    known.delete(about);
    if (known.size >= MOST) known.delete(known.keys().next().value!);
    known.set(about, { told: now, since: 0 });
    say(entry && entry.since > 0 ? `${line} (${entry.since + 1} times since the last such line)` : line);
  };
}
