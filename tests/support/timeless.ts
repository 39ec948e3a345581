const OF_THE_CLOCK = ["time", "seconds", "tokensPerSecond", "processBytes"];

/** What of a result does not depend on the clock, nor on where the model lies. */
// deno-lint-ignore no-explicit-any
export function timeless(data: unknown): any {
  return JSON.parse(JSON.stringify(data, (key, value) => {
    if (OF_THE_CLOCK.includes(key)) return null;
    return key === "model" && typeof value === "object" ? { ...value, name: null } : value;
  }));
}
