/** Those of all columns that a query of metrics asks for, as `MetricsQuery.keys` says it. */
export function keysAskedFor(all: readonly string[], asked: readonly string[] | undefined): string[] {
  if (!asked) return [...all];
  const exact = new Set(asked);
  const begins = asked.filter((key) => key.endsWith("."));
  return all.filter((key) => exact.has(key) || begins.some((begin) => key.startsWith(begin)));
}
