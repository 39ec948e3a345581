/** Pairs made from answers by one change of a character, or by writing the same otherwise; the same ones for the same seed. */
import { hasData, random, readGolds } from "./data_sets.ts";
import { KINDS } from "./kinds/kinds.ts";
import { NEAR_MISSES } from "./near_misses.ts";
import { SAME_ANSWERS } from "./same_answers.ts";

/** A pair, and how the second text was made from the first. */
export interface Mutant {
  gold: string;
  answer: string;
  /** "character" or the name of a respelling */
  how: string;
}

/** The answers at hand: golds of the data sets where they lie beside the repository, and the repository's own pairs. */
export async function answersAtHand(): Promise<string[]> {
  const own = [SAME_ANSWERS, NEAR_MISSES].flatMap((pairs) => Object.values(pairs).flat(2));
  const kinds = Object.values(KINDS).flatMap(({ same, near, different }) =>
    [...same, ...near, ...different].filter(([, , options]) => !options?.extract).flatMap(([a, b]) => [a, b])
  );
  const golds = hasData ? (await readGolds()).map(({ gold }) => gold) : [];
  // Plain integers are most of the golds, and all alike: a tenth of them stays.
  const kept = golds.filter((gold, k) => !/^-?\d+$/.test(gold) || k % 10 === 0);
  return [...new Set([...kept, ...own, ...kinds])].filter((text) => text.trim() !== "" && text.length <= 400);
}

const CHARACTERS =
  "0123456789+-*/^_(){}[],.=<>|!%'\\ abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ$&:;~";

type Next = () => number;

/** One character replaced, left out, put in, doubled, or changed for its neighbour. */
function changeCharacter(text: string, next: Next): string {
  const at = Math.floor(next() * text.length);
  const other = CHARACTERS[Math.floor(next() * CHARACTERS.length)];
  switch (Math.floor(next() * 6)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + other + text.slice(at);
    case 2:
      return text.slice(0, at) + text[at] + text.slice(at);
    case 3:
      return text.slice(0, at) + (text[at + 1] ?? "") + text[at] + text.slice(at + 2);
    case 4: {
      // A digit becomes another one: what a slip in a calculation does.
      const digit = /\d/.exec(text.slice(at))?.index ?? -1;
      if (digit < 0) return text.slice(0, at) + other + text.slice(at + 1);
      return text.slice(0, at + digit) + Math.floor(next() * 10) + text.slice(at + digit + 1);
    }
    default:
      return text.slice(0, at) + other + text.slice(at + 1);
  }
}

/** Ways to write the same; each gives null where it has nothing to change. */
const RESPELLINGS: Record<string, (text: string) => string | null> = {
  "dfrac": (s) => s.includes("\\frac") ? s.replaceAll("\\frac", "\\dfrac") : null,
  "fraction as a quotient": (s) => {
    const changed = s.replace(/(?<![\d}])\\d?frac\{([^{}]+)\}\{([^{}]+)\}(?![\d\w(^!{])/g, "(($1)/($2))");
    return changed === s ? null : changed;
  },
  "root as a power": (s) => {
    const changed = s.replace(/\\sqrt\{([^{}]+)\}(?![\^!])/g, "($1)^{1/2}");
    return changed === s ? null : changed;
  },
  "braces around powers": (s) => {
    const changed = s.replace(/\^([A-Za-z0-9])(?![\w'])/g, "^{$1}");
    return changed === s ? null : changed;
  },
  "left and right": (s) => {
    const plain = !/\\(?:left|right|big|text|mathrm|mbox|operatorname)/i.test(s);
    const changed = s.replace(/(?<!\\)[()]/g, (b) => (b === "(" ? "\\left" : "\\right") + b);
    return plain && changed !== s ? changed : null;
  },
  "a point": (s) => `${s}.`,
  "dollar signs": (s) => /\$/.test(s) ? null : `$${s}$`,
  "spaces around signs": (s) => {
    const changed = s.replace(/(?<![\\^_{(,;\s!<>=:])([+=])/g, " $1 ");
    return changed === s || /text|mathrm|mbox/.test(s) ? null : changed;
  },
  "cdot": (s) => s.includes("\\times") ? s.replaceAll("\\times", "\\cdot") : null,
  "decimal zero": (s) => /^-?\d+$/.test(s) ? `${s}.0` : null,
  "times one": (s) => isValue(s) ? `1\\cdot (${s})` : null,
  "plus zero": (s) => isValue(s) ? `(${s})+0` : null,
  "wide digits": (s) => {
    const changed = s.replace(/\d/g, (d) => String.fromCharCode(d.charCodeAt(0) + 0xfee0));
    return changed === s ? null : changed;
  },
  "unseen character": (s) => `\u200b${s}`,
  "pi": (s) => /\\pi(?![A-Za-z])/.test(s) ? s.replace(/\\pi(?![A-Za-z])/g, "π") : null,
  "minus sign": (s) => s.includes("-") && !/text|mathrm|mbox/.test(s) ? s.replaceAll("-", "−") : null,
};

/** True for a text that is surely one value: brackets around it mean nothing. */
const isValue = (s: string): boolean =>
  !/[=<>,;:|%\\$]|^\(|\d \d/.test(s.replace(/\\(?:frac|sqrt|pi|cdot|dfrac)/g, "")) &&
  !/[A-Za-z]{3}/.test(s.replace(/\\[a-z]+/g, ""));

const HOW = Object.keys(RESPELLINGS);

/** So many pairs: two of three by one character, the others by respelling. */
export function makeMutants(answers: string[], count: number, seed: number): Mutant[] {
  const next = random(seed);
  const mutants: Mutant[] = [];
  while (mutants.length < count) {
    const gold = answers[Math.floor(next() * answers.length)];
    if (mutants.length % 3 < 2) {
      const answer = changeCharacter(gold, next);
      if (answer !== gold && answer.trim() !== "") mutants.push({ gold, answer, how: "character" });
      continue;
    }
    const how = HOW[Math.floor(next() * HOW.length)];
    const answer = RESPELLINGS[how](gold);
    if (answer !== null && answer !== gold) mutants.push({ gold, answer, how });
  }
  return mutants;
}
