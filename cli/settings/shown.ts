/** A value as people write it: `6e-6`, `hard-greedy,soft-greedy`; `-` where there is none. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map(shown).join(",");
  const tiny = typeof value === "number" && value !== 0 && Math.abs(value) < 1e-3;
  return tiny ? value.toExponential() : String(value ?? "-");
}
