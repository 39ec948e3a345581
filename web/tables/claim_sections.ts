import type { Tables } from "../data/view_data.ts";
import { fixed } from "../parts/format.ts";

type Verdicts = NonNullable<Tables["claims"]>;
type Line = Verdicts["lines"][number];
/** A quantity that decides about a claim. */
export type Part = Verdicts["hardFalls"];
export type Verdict = Part["verdict"];

/** A heading with the quantities under it. */
export interface ClaimSection {
  title: string;
  /** Null of what is no claim. */
  verdict: Verdict | null;
  parts: readonly Part[];
  /** The same beside hard training stopped early; null where nothing is told of it. */
  atEqual: { verdict: Verdict | null; parts: readonly Part[]; gaps: string } | null;
}

/** The paper's claims are about soft and fuzzy training, whose lines come first. */
const CLAIMED = 2;

/** What a sweep says of the paper's claims: a section a claim, then the other ways and the control. */
export function claimSections(verdicts: Verdicts): ClaimSection[] {
  const [claimed, others] = [verdicts.lines.slice(0, CLAIMED), verdicts.lines.slice(CLAIMED)];
  const sections: ClaimSection[] = verdicts.claims.map(({ letter, claim, verdict, atEqual }) => ({
    ...{ title: `(${letter}) ${claim}`, verdict, parts: partsOf(verdicts, claimed, letter) },
    atEqual: atEqual === undefined || letter === "b" || letter === "e" ? null : {
      verdict: atEqual,
      parts: claimed.map((line) => line.atEqual[letter]),
      gaps: gapsOf(claimed),
    },
  }));
  if (others.length > 0) {
    sections.push({
      ...{ title: "The other ways, by the same rules", verdict: null },
      parts: others.flatMap(({ claims: { a, c, d, e } }) => [...a, ...c, ...d, ...e]),
      atEqual: {
        verdict: null,
        parts: others.flatMap(({ atEqual: { a, c, d } }) => [a, c, d]),
        gaps: gapsOf(others),
      },
    });
  }
  if (verdicts.thinkingTerm) {
    sections.push({
      ...{ title: "Control: training without the thinking's term", verdict: null, atEqual: null },
      parts: [verdicts.thinkingTerm],
    });
  }
  return sections;
}

function partsOf(
  { best, hardFalls }: Verdicts,
  claimed: readonly Line[],
  letter: Verdicts["claims"][number]["letter"],
): Part[] {
  if (letter === "b") return best;
  const own = claimed.flatMap(({ claims }) => claims[letter]);
  return letter === "d" ? [hardFalls, ...own] : own;
}

/** How equal pass@1 became by stopping hard training early, in words. */
function gapsOf(lines: readonly Line[]): string {
  return lines.flatMap(({ line, gap }) =>
    gap === null ? [] : [
      `${line} ${fixed(gap.value, 4)}${
        gap.standardError === null ? "" : ` ± ${fixed(gap.standardError, 4)}`
      }`,
    ]
  ).join(", ");
}
