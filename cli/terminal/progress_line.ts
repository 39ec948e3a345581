import { duration } from "./duration.ts";

/** What a line of progress counts. */
export interface Counting {
  /** What is being done, e.g. `train`. */
  label: string;
  /** Steps in all, if known. */
  total?: number;
  /** What `total` counts, where the label does not say: `rollouts`. */
  counted?: string;
  /** What a rate counts, in the plural; steps if not given. */
  unit?: string;
}

/** Seconds: since the start, of a unit of work, and how many of these are left, as far as that is known. */
interface Pace {
  elapsed: number;
  each?: number;
  left?: number;
  /** `left` is the most there can be. */
  atMost?: boolean;
}

/** How far a command is, in a line: `train 26/100  reward 0.2600  2.50 steps/s  30s left`. */
export function progressLine(
  { label, total, counted, unit = "steps" }: Counting,
  step: number,
  fields: Record<string, number | string>,
  { elapsed, each, left, atMost }: Pace,
): string {
  const count = total === undefined ? step : `${String(step).padStart(`${total}`.length)}/${total}`;
  const parts = [`${label} ${count}${counted === undefined ? "" : ` ${counted}`}`];
  for (const [name, value] of Object.entries(fields)) parts.push(`${name} ${format(value)}`);
  if (each !== undefined) parts.push(shownRate(each, unit));
  if (total !== undefined && step >= total) parts.push(duration(elapsed));
  else if (each !== undefined && left !== undefined) {
    parts.push(`${atMost ? "at most " : ""}${duration(each * left)} left`);
  }
  return parts.join("  ");
}

/** `2.50 steps/s`, `51.9k tokens/s`, and where a unit takes longer than a second `3.00 s/step`. */
function shownRate(each: number, unit: string): string {
  const one = unit.replace(/s$/, "");
  if (each >= 100) return `${duration(each)}/${one}`;
  if (each >= 1) return `${each.toPrecision(3)} s/${one}`;
  const rate = 1 / each;
  const power = Math.max(0, Math.min(3, Math.floor(Math.log10(rate * 1.0005) / 3)));
  return `${(rate / 1000 ** power).toPrecision(3)}${["", "k", "M", "G"][power]} ${unit}/s`;
}

function format(value: number | string): string {
  if (typeof value === "string" || Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e5 ? value.toPrecision(4) : value.toExponential(2);
}
