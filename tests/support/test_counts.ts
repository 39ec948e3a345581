/** What a run of tests came to. */
export interface TestCounts {
  passed: number;
  failed: number;
  ignored: number;
}

/** From the last line of Deno's like "ok | 12 passed (3 steps) | 0 failed | 2 ignored (4s)"; zeros where there is none. */
export function countsOf(output: string): TestCounts {
  const summary = output.split("\n").findLast((line) => /^(ok|FAILED) \| \d+ passed/.test(line)) ?? "";
  const count = (word: string) => Number(summary.match(new RegExp(`(\\d+) ${word}`))?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed"), ignored: count("ignored") };
}

/** Of all together. */
export function sumOf(counts: readonly TestCounts[]): TestCounts {
  const sum = (key: keyof TestCounts) => counts.reduce((total, one) => total + one[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), ignored: sum("ignored") };
}

/** A line of the same form. `ms` is how long it took. */
export function summaryLine(counts: TestCounts, failed: boolean, ms: number): string {
  const { passed, failed: bad, ignored } = counts;
  const seconds = Math.round(ms / 1000);
  return [
    failed ? "FAILED" : "ok",
    `${passed} passed`,
    `${bad} failed`,
    ...ignored > 0 ? [`${ignored} ignored`] : [],
  ].join(" | ") + ` (${Math.floor(seconds / 60)}m${seconds % 60}s)`;
}
