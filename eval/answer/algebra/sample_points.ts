/** Sample points for symbols, drawn from a hash of the pair: the same pair meets the same points, and no answer can know them. */
import { children, type Node } from "../node.ts";
import { rational } from "../rational.ts";
import type { Point } from "./numeric_value.ts";

/** FNV-1a, 32 bits. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let k = 0; k < text.length; k++) h = Math.imul(h ^ text.charCodeAt(k), 0x01000193);
  return h >>> 0;
}

/** A sequence of 32-bit integers from a seed (SplitMix32). */
export function integers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}

/** Names of the symbols that are not constants, sorted. */
export function freeSymbols(...nodes: Node[]): string[] {
  const names = new Set<string>();
  const visit = (n: Node, bound: string[]): void => {
    if (n.kind === "symbol" && !n.constant && !bound.includes(n.name)) names.add(n.name);
    if (n.kind === "apply" && (n.op === "sum" || n.op === "prod")) {
      const [variable, low, high, body] = n.args;
      visit(low, bound);
      visit(high, bound);
      visit(body, [...bound, (variable as { name: string }).name]);
    } else children(n).forEach((part) => visit(part, bound));
  };
  nodes.forEach((n) => visit(n, []));
  return [...names].sort();
}

/** Sizes of the points, in turn: roots and logarithms like small positive values, absolute values show at large ones. */
const SCALES: [low: number, high: number, signed: boolean][] = [
  [1, 4, false],
  [2, 9, false],
  [1, 3, true],
  [0.1, 0.9, false],
  [3, 40, true],
  [0.2, 2, true],
  [50, 3000, true],
  [0.05, 0.6, true],
];

/** The point number `index` for these symbols; values have six decimals and are exact rationals. */
export function samplePoint(names: string[], seed: number, index: number): Point {
  const [low, high, signed] = SCALES[index % SCALES.length];
  const next = integers(seed ^ Math.imul(index + 1, 0x9e3779b1));
  const point: Point = new Map();
  for (const name of names) {
    const size = low + (high - low) * (next() / 2 ** 32);
    const sign = signed && next() % 2 === 0 ? -1 : 1;
    point.set(name, rational(BigInt(Math.round(sign * size * 1e6) || 1), 1_000_000n));
  }
  return point;
}

/** A point with values of every size from 10^-3 to 10^6 and either sign: where absolute values and roots turn over. */
export function wideSamplePoint(names: string[], seed: number, index: number): Point {
  const next = integers(seed ^ Math.imul(index + 1, 0xc2b2ae35));
  return new Map(names.map((name) => {
    const size = 10 ** (-3 + 9 * (next() / 2 ** 32));
    return [name, rational(BigInt(Math.round((next() % 2 === 0 ? -1 : 1) * size * 1e6) || 1), 1_000_000n)];
  }));
}

/** Small different integers for the symbols in the bounds of sums. */
export function integerPoint(names: string[], seed: number, index: number): Point {
  const next = integers(seed ^ Math.imul(index + 1, 0x85ebca6b));
  return new Map(names.map((name) => [name, rational(2n + BigInt((next() % 7) + 3 * index))]));
}
