import type { Choosable } from "./select_rollouts.ts";
import type { Count, Facets } from "./view_data.ts";

/** Counts what rollouts can be filtered by. */
export interface FacetCounter {
  add(one: Choosable): void;
  result(): Omit<Facets, "questions" | "often">;
}

/** Different rewards that are told. */
const MOST_REWARDS = 100;
/** Different names that are counted: rules and modes are a handful, unless a file is hostile. */
const MOST_NAMES = 1000;

/** An empty counter. */
export function facetCounter(): FacetCounter {
  const [modes, ends, rules] = [0, 1, 2].map(() => new Map<string, number>());
  const rewards = new Map<number, number>();
  const steps = new Set<number>();
  let rollouts = 0;
  return {
    add({ step, mode, end, rule, reward }) {
      rollouts++;
      if (step !== null) steps.add(step);
      count(modes, mode);
      count(ends, end);
      if (rule !== null) count(rules, rule);
      count(rewards, reward);
    },
    result: () => ({
      rollouts,
      steps: rangesOf([...steps].sort((a, b) => a - b)),
      modes: named(modes),
      ends: named(ends),
      rules: named(rules),
      rewards: [...rewards].sort((a, b) => b[1] - a[1]).slice(0, MOST_REWARDS)
        .map(([value, rollouts]) => ({ value, rollouts })).sort((a, b) => a.value - b.value),
    }),
  };
}

function count<K>(counts: Map<K, number>, key: K): void {
  const known = counts.get(key);
  if (known !== undefined || counts.size < MOST_NAMES) counts.set(key, (known ?? 0) + 1);
}

const named = (counts: Map<string, number>): Count[] =>
  [...counts].map(([name, rollouts]) => ({ name, rollouts })).sort((a, b) => b.rollouts - a.rollouts);

/** Ascending numbers as ranges of [first, last, every]. */
export function rangesOf(steps: readonly number[]): [number, number, number][] {
  const ranges: [number, number, number][] = [];
  for (const step of steps) {
    const last = ranges.at(-1);
    if (last && last[0] === last[1] || last && step - last[1] === last[2]) {
      if (last[0] === last[1]) last[2] = step - last[1];
      last[1] = step;
    } else ranges.push([step, step, 1]);
  }
  return ranges;
}
