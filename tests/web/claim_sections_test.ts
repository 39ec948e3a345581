import { assertEquals } from "@std/assert";
import type { Tables } from "../../web/data/view_data.ts";
import { claimSections, type Part } from "../../web/tables/claim_sections.ts";

const part = (what: string): Part => ({
  ...{ what, value: 0.1, standardError: 0.01, bound: 0, errors: 10, verdict: "holds" },
});

const line = (line: string, gap: number | null) => ({
  line,
  claims: { a: [part(`a ${line}`)], c: [part(`c ${line}`)], d: [part(`d ${line}`)], e: [part(`e ${line}`)] },
  atEqual: { a: part(`equal a ${line}`), c: part(`equal c ${line}`), d: part(`equal d ${line}`) },
  gap: gap === null ? null : { value: gap, standardError: 0.008 },
});

const verdicts = {
  claims: [
    { letter: "a", claim: "first", verdict: "holds", atEqual: "cannot be told" },
    { letter: "b", claim: "second", verdict: "holds" },
    { letter: "d", claim: "fourth", verdict: "does not hold", atEqual: "holds" },
  ],
  ...{ best: [part("best")], hardFalls: part("hard falls"), thinkingTerm: part("control") },
  lines: [line("soft", 0.011), line("fuzzy", null), line("gumbel", 0.02)],
} as unknown as NonNullable<Tables["claims"]>;

Deno.test("a claim is shown with all quantities that decide about it, beside hard training to its end and stopped early", () => {
  const told = claimSections(verdicts).map(({ title, verdict, parts, atEqual }) => [
    ...[title, verdict, parts.map(({ what }) => what).join("; ")],
    atEqual && [atEqual.verdict, atEqual.parts.map(({ what }) => what).join("; "), atEqual.gaps],
  ]);
  const gaps = "soft 0.0110 ± 0.0080";
  assertEquals(told, [
    ["(a) first", "holds", "a soft; a fuzzy", ["cannot be told", "equal a soft; equal a fuzzy", gaps]],
    ["(b) second", "holds", "best", null],
    ["(d) fourth", "does not hold", "hard falls; d soft; d fuzzy", [
      "holds",
      "equal d soft; equal d fuzzy",
      gaps,
    ]],
    ["The other ways, by the same rules", null, "a gumbel; c gumbel; d gumbel; e gumbel", [
      null,
      "equal a gumbel; equal c gumbel; equal d gumbel",
      "gumbel 0.0200 ± 0.0080",
    ]],
    ["Control: training without the thinking's term", null, "control", null],
  ]);
});
