/** Units as products of powers, and the unit that a text behind a number says. */
import { canonicalWord, isKnownUnit, NOT_UNITS } from "./units.ts";

/** A unit to a power: the m and s^-2 of m/s^2. */
export interface UnitFactor {
  name: string;
  power: number;
}

/**
 * The unit in a text that stands after a number (`cm`, `square feet`, `km per hour`, `m/s^2`, `right triangles`).
 *
 * @returns null where the text says more than a unit does (`or more`, `million`, `and 3`)
 */
export function textUnit(text: string): UnitFactor[] | null {
  const meridiem = /^([ap])\s?\.?\s?m\.?$/i.exec(text.trim());
  if (meridiem) return [{ name: `${meridiem[1].toLowerCase()}m`, power: 1 }];
  const words = text.replace(/\^\s*\{?\s*\\?circ\s*\}?\s*/g, "°").replace(/\\cdot|\\times|·/g, " ").replace(
    /[.~()*]/g,
    " ",
  )
    .replace(/\//g, " per ").replace(/\^\s*\{?\s*(-?\d)\s*\}?/g, "^$1").trim().split(/\s+/).filter((w) =>
      w !== ""
    );
  if (words.length === 0 || words.length > 7 || /^(?:right|of)$/i.test(words[words.length - 1])) return null;
  if (words.length === 1 && /^(?:st|nd|rd|th)$/.test(words[0])) return [{ name: "th", power: 1 }];
  return factorsOf(words);
}

/** Known words are factors of their own; others, one behind the other, are a name together: `right triangle`. */
function factorsOf(words: string[]): UnitFactor[] | null {
  const factors: UnitFactor[] = [];
  let [sign, next, open] = [1, 1, false];
  for (const word of words) {
    const m = /^([A-Za-zμΩ$€£¢¥°]+)(?:\^?(-?\d))?$/.exec(word);
    const last = factors.at(-1);
    if (/^(?:squared|cubed)$/i.test(word) && last && isKnownUnit(last.name)) {
      last.power *= word.toLowerCase() === "squared" ? 2 : 3;
      continue;
    }
    if (!m || NOT_UNITS.has(word.length === 1 ? word : word.toLowerCase())) return null;
    if (/^per$/i.test(word)) sign = -1;
    else if (/^(?:square|sq)$/i.test(word)) next = 2;
    else if (/^(?:cubic|cu)$/i.test(word)) next = 3;
    else {
      const name = canonicalWord(m[1]);
      const known = isKnownUnit(m[1]);
      if (last?.name === "deg" && /^deg[CF]$/.test(name)) last.name = name;
      else if (last?.name === "deg" && /^[CF]$/.test(name)) last.name += name;
      else if (open && !known && last) last.name += ` ${name}`;
      else factors.push({ name, power: sign * next * Number(m[2] ?? 1) });
      open = !known;
      next = 1;
    }
  }
  // Square units without a name.
  if (next !== 1) factors.push({ name: "unit", power: sign * next });
  return factors.length === 0 ? null : factors;
}

/** A unit in one spelling: factors in alphabetical order, those with negative powers behind a stroke. */
export function spellUnit(factors: UnitFactor[]): string {
  const powers = new Map<string, number>();
  for (const { name, power } of factors) {
    for (const [part, times] of PARTS.get(name) ?? [[name, 1]]) {
      powers.set(part, (powers.get(part) ?? 0) + times * power);
    }
  }
  const spell = (sign: 1 | -1) =>
    [...powers].filter(([, power]) => power * sign > 0).sort(([a], [b]) => a < b ? -1 : 1)
      .map(([name, power]) => Math.abs(power) === 1 ? name : `${name}^${Math.abs(power)}`).join(" ");
  const [above, below] = [spell(1), spell(-1)];
  const unit = below === "" ? above : `${above || "1"}/${below}`;
  return NAMED.get(unit) ?? unit;
}

/** Units that are called by the first letters of a compound one. */
const PARTS = new Map<string, [string, number][]>([
  ["mph", [["mi", 1], ["h", -1]]],
  ["kph", [["km", 1], ["h", -1]]],
  ["kmh", [["km", 1], ["h", -1]]],
  ["kWh", [["kW", 1], ["h", 1]]],
]);
const NAMED = new Map([["mi/h", "mph"], ["km/h", "kph"], ["h kW", "kWh"]]);
