import { assert, assertEquals } from "@std/assert";
import { parseAnswer, verify } from "../../../eval/answer/verify.ts";
import { type Gold, hasData, random, readGolds } from "./support/data_sets.ts";

const golds = hasData ? await readGolds() : [];
const firstWith = new Map<string, number>();
golds.forEach(({ gold }, k) => firstWith.has(gold) || firstWith.set(gold, k));
const distinct = [...firstWith.keys()];

/** Rewriting that changes nothing but looks. */
const REWRITING: Record<string, (gold: string) => string> = {
  "as it is": (s) => s,
  "spaces": (s) =>
    ` ${s.replace(/\\[{}()]|[=+^{}()]/g, (m) => m.startsWith("\\") ? m : ` ${m} `)}  `.replace(
      /(\\!)/g,
      "$1 ",
    ),
  "\\dfrac for \\frac": (s) => s.replaceAll("\\frac", "\\dfrac"),
  "\\left( \\right)": (s) =>
    s.replace(/(?<![\\A-Za-z]|\\left\s*|\\right\s*)([()])/g, (b) => (b === "(" ? "\\left" : "\\right") + b),
  "trailing period": (s) => `${s}.`,
  "dollar signs": (s) => `$${s.replace(/(?<!\\)\$/g, " ")}$`,
  "all of them": (s) => `$ ${s.replaceAll("\\frac", "\\dfrac").replace(/(?<!\\)\$/g, " ")} $.`,
};

Deno.test({
  name: "every gold answer of five data sets equals itself, and itself rewritten harmlessly",
  ignore: !hasData,
  fn() {
    const counts = new Map<string, number>();
    for (const { set } of golds) counts.set(set, (counts.get(set) ?? 0) + 1);
    console.log(
      `golds: ${[...counts].map(([set, n]) => `${set} ${n}`).join(", ")}; ${distinct.length} distinct`,
    );
    for (const [name, rewrite] of Object.entries(REWRITING)) {
      const wrong = distinct.filter((gold) => !verify(gold, rewrite(gold)).equal);
      console.log(`  ${name}: ${distinct.length - wrong.length} of ${distinct.length}`);
      assertEquals(wrong, [], name);
    }
  },
});

Deno.test({
  name: "nearly every gold answer is read, not only compared as text",
  ignore: !hasData,
  fn() {
    const unread = distinct.filter((gold) => parseAnswer(gold).node === null);
    console.log(`golds that are compared as text alone: ${unread.length} of ${distinct.length}`);
    assert(unread.length <= 6, unread.join("\n"));
  },
});

/** Pairs of different problems that were judged equal and looked at: each is right, or right as the task is set. */
const INSPECTED =
  /^(?:exact numbers|same expression|exact algebra|percent sign left out|same words|tuple|set of numbers)(?:, (?:unit on one side|same unit))?$/;

/** Judges 20,000 pairs of different problems and prints those that are equal with different texts. */
function inspectPairs(from: Gold[], seed: number): void {
  const next = random(seed);
  const equal: string[] = [];
  let compared = 0;
  while (compared < 20_000) {
    const a = from[Math.floor(next() * from.length)];
    const b = from[Math.floor(next() * from.length)];
    if (a.question === b.question) continue;
    compared++;
    const verdict = verify(a.gold, b.gold, { percent: true });
    assert(verdict.rule !== "time");
    if (!verdict.equal || parseAnswer(a.gold).normalized === parseAnswer(b.gold).normalized) continue;
    equal.push(`${a.gold}  |  ${b.gold}: ${verdict.rule}`);
    assert(INSPECTED.test(verdict.rule), equal.at(-1));
  }
  console.log(`equal with different texts: ${equal.length} of 20,000\n  ${equal.join("\n  ")}`);
}

Deno.test({
  name: "20,000 random pairs of different problems: what is judged equal has the same value",
  ignore: !hasData,
  fn: () => inspectPairs(golds, 20_000),
});

Deno.test({
  name: "20,000 more among the distinct golds that are no plain numbers",
  ignore: !hasData,
  fn: () =>
    inspectPairs(golds.filter((g, k) => firstWith.get(g.gold) === k && !/^-?[\d.,]+$/.test(g.gold)), 20_001),
});
