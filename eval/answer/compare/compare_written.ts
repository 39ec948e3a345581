/** What is more a way of writing than a value: texts, units, percent signs, bases, ratios. */
import { exactValue, type Finding } from "../algebra/same_scalar.ts";
import { apply, type Node, number, symbol } from "../node.ts";
import { divideRationals, rational } from "../rational.ts";
import { inOrder } from "./compare_many.ts";
import { compareScalars } from "./compare_scalars.ts";
import { compareTimes } from "./compare_times.ts";
import { type Context, no } from "./context.ts";
import { isMany } from "./expand.ts";
import { setOfText } from "./text_sets.ts";

/** Compares two answers of which one at least is a text: by words, or as a short product of letters. */
export function compareTexts(gold: Node, answer: Node, c: Context): Finding {
  const [a, b] = [wordsOf(gold), wordsOf(answer)];
  if (a !== null && a === b) return { equal: true, rule: "same words" };
  const [x, y] = [gold, answer].map((n) => n.kind === "text" ? setOfText(n.text) ?? n : n);
  if (x !== gold || y !== answer) {
    return x.kind === "text" || y.kind === "text" ? no("a set and no set") : c.compare(x, y, c);
  }
  if (a !== null && b !== null) return { equal: false, rule: "same words" };
  // A short run of letters beside an expression is a product after all.
  const spelled = gold.kind === "text"
    ? product(gold.text)
    : answer.kind === "text"
    ? product(answer.text)
    : null;
  if (!spelled || isMany(gold) || isMany(answer)) return no("a text and no text");
  return gold.kind === "text" ? c.compare(spelled, answer, c) : c.compare(gold, spelled, c);
}

/** True for a choice with its letter: `(C) 14`. */
export const isChoice = (n: Node): n is Node & { kind: "apply" } => n.kind === "apply" && n.op === "choice";

/** Compares two answers of which one at least is a choice with its letter: the other may be the letter or the value. */
export function compareChoices(gold: Node, answer: Node, c: Context): Finding {
  if (isChoice(gold) && isChoice(answer)) return inOrder(gold.args, answer.args, c, "choice");
  const [choice, other] = isChoice(gold) ? [gold, answer] : [answer as Node & { kind: "apply" }, gold];
  const letter = wordsOf(other);
  if (letter !== null && letter === wordsOf(choice.args[0])) {
    return { equal: true, rule: "letter of the choice" };
  }
  return isChoice(gold) ? c.compare(gold.args[1], answer, c) : c.compare(gold, choice.args[1], c);
}

function wordsOf(n: Node): string | null {
  if (n.kind === "symbol") return key(n.name);
  return n.kind === "text" ? key(n.text) : null;
}

/** A text without spacing, brackets and full stops; words in small letters, but not letters side by side: AB is not ab. */
function key(text: string): string {
  const bare = text.replace(/[\s$~{}()\\"]|[.,](?!\d)/g, "");
  const letters = /^[A-Za-z]{1,4}$/.test(bare) && !SHORT_WORDS.has(bare.toLowerCase()) &&
    !/^[A-Z]?[a-z]{3}$/.test(bare);
  return letters ? bare : bare.toLowerCase();
}

const SHORT_WORDS = new Set(
  ("yes no odd even true none both left red blue all any one two six ten four five nine zero day max min sun mon tue wed thu fri sat " +
    "jan feb mar apr may jun jul aug sep oct nov dec").split(" "),
);

function product(text: string): Node | null {
  if (!/^[A-Za-z]{2,4}$/.test(text)) return null;
  return apply("multiply", ...[...text].map((letter) => symbol(letter)));
}

/** Compares two answers of which one at least has a unit: ignored on one side, the same on both. */
export function compareUnits(gold: Node, answer: Node, c: Context): Finding {
  const times = compareTimes(gold, answer);
  if (times) return times;
  const [a, b] = [peel(gold), peel(answer)];
  if (a.unit && b.unit && a.unit !== b.unit) return no("units disagree", `${a.unit} and ${b.unit}`);
  if (a.value.kind === "percent" !== (b.value.kind === "percent")) return no("a percentage and a unit");
  const found = c.compare(a.value, b.value, c);
  const said = a.unit && b.unit ? "same unit" : "unit on one side";
  return found.equal && !found.rule.includes(said) ? { ...found, rule: `${found.rule}, ${said}` } : found;
}

function peel(n: Node): { value: Node; unit: string | null } {
  return n.kind === "unit" ? n : { value: n, unit: null };
}

/** Compares two answers of which one at least is a percentage: p% is p/100, and p where the task says so. */
export function comparePercents(gold: Node, answer: Node, c: Context): Finding {
  const [a, b] = [gold, answer].map((n) => n.kind === "percent" ? n.value : n);
  if (gold.kind === "percent" && answer.kind === "percent") return c.compare(a, b, c);
  const hundredth = (n: Node) => n.kind === "percent" ? apply("divide", n.value, number(rational(100n))) : n;
  const found = c.compare(hundredth(gold), hundredth(answer), c);
  if (found.equal || !c.percent) return found;
  const bare = c.compare(a, b, c);
  return bare.equal ? { ...bare, rule: "percent sign left out" } : found;
}

/** True for digits in a base. */
export function isBased(n: Node): boolean {
  return n.kind === "based" || (n.kind === "apply" && n.op === "negate" && n.args[0].kind === "based");
}

function based(n: Node): { digits: string; base: number } | null {
  if (n.kind === "based") return { digits: n.digits.replace(/^0+(?=\w)/, ""), base: n.base };
  if (n.kind !== "apply" || n.op !== "negate") return null;
  const inner = based(n.args[0]);
  return inner && { ...inner, digits: `-${inner.digits}` };
}

/** Compares two answers of which one at least is in a base: by digits. */
export function compareBases(gold: Node, answer: Node, c: Context): Finding {
  const [a, b] = [based(gold), based(answer)];
  if (a && b) return { equal: a.base === b.base && a.digits === b.digits, rule: "digits in a base" };
  if (!c.bases) return no("a base on one side only");
  const written = exactValue(a ? answer : gold, c.steps);
  const digits = (a ?? b)!.digits;
  return {
    equal: written !== null && written.den === 1n && `${written.num}` === digits,
    rule: "base left out",
  };
}

/** Compares two answers of which one at least is a ratio. Times such as 12:00 are the same as written alone. */
export function compareRatios(gold: Node, answer: Node, c: Context): Finding {
  if (gold.kind === "ratio" && answer.kind === "ratio") {
    const exact = inOrder(gold.items, answer.items, c, "ratio");
    if (exact.equal || gold.timeLike || answer.timeLike || gold.items.length !== answer.items.length) {
      return exact;
    }
    return proportional(gold.items, answer.items, c) ? { equal: true, rule: "same ratio" } : exact;
  }
  const [ratio, other] = gold.kind === "ratio" ? [gold, answer] : [answer as Node & { kind: "ratio" }, gold];
  if (ratio.timeLike || ratio.items.length !== 2) return no("a ratio and no ratio");
  const found = compareScalars(apply("divide", ...ratio.items), other, c);
  return found.equal ? { ...found, rule: "ratio as a quotient" } : found;
}

function proportional(a: Node[], b: Node[], c: Context): boolean {
  const x = a.map((n) => exactValue(n, c.steps));
  const y = b.map((n) => exactValue(n, c.steps));
  if (![...x, ...y].every((v) => v !== null && v.num !== 0n)) return false;
  const factor = divideRationals(x[0]!, y[0]!);
  return x.every((v, k) => v!.num * y[k]!.den * factor.den === y[k]!.num * v!.den * factor.num);
}
