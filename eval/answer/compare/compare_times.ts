import type { Finding } from "../algebra/same_scalar.ts";
import type { Node } from "../node.ts";

/** A time of day: its parts as written, and which half of the day it says. */
interface Time {
  parts: number[];
  half: "am" | "pm" | null;
}

/** 3:45, 15:45, 3:45 p.m., 3 p.m.; null for what is no time of day. */
function timeOf(node: Node): Time | null {
  const half = node.kind === "unit" && (node.unit === "am" || node.unit === "pm") ? node.unit : null;
  const value = half && node.kind === "unit" ? node.value : node;
  if (value.kind === "number" && !half) return null;
  if (value.kind !== "number" && !(value.kind === "ratio" && value.timeLike)) return null;
  const parts = (value.kind === "ratio" ? value.items : [value]).map((n) =>
    n.kind === "number" && n.value.den === 1n ? Number(n.value.num) : NaN
  );
  while (parts.length < 3) parts.push(0);
  const [hours, minutes, seconds] = parts;
  const inRange = hours >= 0 && hours <= (half ? 12 : 24) && minutes >= 0 && minutes < 60 && seconds >= 0 &&
    seconds < 60;
  return inRange && parts.length === 3 ? { parts, half } : null;
}

const secondsOf = ([hours, minutes, seconds]: number[]): number => (hours * 60 + minutes) * 60 + seconds;

/** Seconds since midnight. */
function ofDay({ parts: [hours, ...rest], half }: Time): number {
  return secondsOf([half ? hours % 12 + (half === "pm" ? 12 : 0) : hours, ...rest]);
}

/** Compares two times of day of which one at least says a.m. or p.m.: 3:45 p.m. is 15:45, and may be written 3:45. Null for others. */
export function compareTimes(gold: Node, answer: Node): Finding | null {
  const [a, b] = [timeOf(gold), timeOf(answer)];
  if (!a || !b || (!a.half && !b.half)) return null;
  const alike = ofDay(a) % DAY === ofDay(b) % DAY ||
    ((!a.half || !b.half) && secondsOf(a.parts) === secondsOf(b.parts));
  return { equal: alike, rule: "time of day" };
}

const DAY = 24 * 60 * 60;
