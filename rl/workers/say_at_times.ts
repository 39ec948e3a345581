/** Milliseconds between two of the same lines. */
const BETWEEN = 30_000;
/** Different lines that are known; more are not told apart from new ones. */
const MOST = 100;

/** Says a line that may come again and again: at once, then every half minute at most, with how often it was in between. */
export function sayAtTimes(say: (line: string) => void, between = BETWEEN): (line: string) => void {
  const known = new Map<string, { told: number; since: number }>();
  return (line) => {
    const now = performance.now();
    const entry = known.get(line);
    if (entry && now - entry.told < between) return void entry.since++;
    known.delete(line);
    if (known.size >= MOST) known.delete(known.keys().next().value!);
    known.set(line, { told: now, since: 0 });
    say(entry && entry.since > 0 ? `${line} (${entry.since + 1} times since that was last said)` : line);
  };
}
