import { type Crossed, crossedDifference, crossedMean, mean } from "../../compare/crossed.ts";
import { type Point, valuesAt } from "../../compare/line_values.ts";
import { type ClaimData, combined, difference, entropy, nll, pass, stoppedEarly } from "./claim_data.ts";
import { all, any, judge, type Part, type Verdict } from "./judge.ts";

/** What "matches" means: a difference that is worse by no more than this. */
const MATCHES = -0.05;
/** The share of speed that "hardly more" allows. */
const OVERHEAD = -0.1;

/** What is judged of one line. */
export interface LineVerdicts {
  line: string;
  /** The parts of claims (a), (c), (d), (e), by letter. */
  claims: Record<"a" | "c" | "d" | "e", Part[]>;
  /** The same beside hard training stopped early, where pass@1 is about equal. */
  atEqual: Record<"a" | "c" | "d", Part>;
  /** Mean difference in pass@1 that stopping early leaves: line - hard stopped early. */
  gap: Crossed | null;
  /** After which update each seed's hard training was stopped; 0 is the untrained model, whose NLL has not moved at all. */
  stoppedAfter: number[];
}

/** A claim of the paper with what decides about it. */
export interface ClaimVerdict {
  letter: "a" | "b" | "c" | "d" | "e";
  claim: string;
  verdict: Verdict;
  /** The verdict at equal pass@1, where there is one. */
  atEqual?: Verdict;
}

/** All verdicts of a sweep. */
export interface Verdicts {
  claims: ClaimVerdict[];
  /** Claim (b), of the soft-trained model. */
  best: Part[];
  /** Part of claim (d) that is about hard training alone. */
  hardFalls: Part;
  /** Soft and fuzzy, then the ways that are no claim of the paper's. */
  lines: LineVerdicts[];
  /** What soft training gains by its thinking term; null where that control was not run. */
  thinkingTerm: Part | null;
}

/** The lines that the paper's claims are about. */
const CLAIMED = ["soft", "fuzzy"];
/** The control of soft training. */
export const CONTROL = "soft-no-thinking-term";

/** Judges the five claims by the rule of docs/claims.md. */
export function judgeClaims(data: ClaimData): Verdicts {
  const others = [...data.ends.keys()]
    .filter((name) => !["untrained", "hard", CONTROL, ...CLAIMED].includes(name));
  const lines = [...CLAIMED, ...others].map((name) => judgeLine(data, name));
  const claimed = lines.filter(({ line }) => CLAIMED.includes(line));
  const best = judgeBest(data);
  const hardFalls = judge(
    "entropy: untrained - hard",
    difference(data.ends.get("untrained")!, data.ends.get("hard")!, entropy(data)),
    0,
  );
  const of = (letter: "a" | "c" | "d" | "e") =>
    claimed.map(({ claims }) => all(claims[letter].map(({ verdict }) => verdict)));
  const equal = (letter: "a" | "c" | "d") => claimed.map(({ atEqual }) => atEqual[letter].verdict);
  const control = data.ends.get(CONTROL);
  return {
    claims: [
      {
        letter: "a",
        claim: `soft or fuzzy training matches hard training at pass@1 and beats it at pass@${data.k}`,
        verdict: any(of("a")),
        atEqual: any(equal("a")),
      },
      {
        letter: "b",
        claim: "the best way to run a soft-trained model is hard inference",
        verdict: all(best.map(({ verdict }) => verdict)),
      },
      {
        letter: "c",
        claim: "out-of-domain NLL moves less under soft and fuzzy training",
        verdict: all(of("c")),
        atEqual: all(equal("c")),
      },
      {
        letter: "d",
        claim: "hard training pulls the entropy of the thinking down, soft and fuzzy keep it",
        verdict: all([hardFalls.verdict, ...of("d")]),
        atEqual: all(equal("d")),
      },
      { letter: "e", claim: "soft steps cost hardly more than hard ones", verdict: all(of("e")) },
    ],
    best,
    hardFalls,
    lines,
    thinkingTerm: control === undefined ? null : judge(
      `pass@1, greedy tokens: soft - ${CONTROL}`,
      difference(data.ends.get("soft")!, control, pass(data, "hard-greedy", 1)),
      0,
    ),
  };
}

function judgeLine(data: ClaimData, name: string): LineVerdicts {
  const line = data.ends.get(name)!;
  const hard = data.ends.get("hard")!;
  const early = stoppedEarly(data, line);
  const most = pass(data, "hard-sample", data.k);
  const fall = combined(data, hard, line, entropy(data), (h, x, u) => (u - h) / 2 - (u - x));
  const shown = `pass@${data.k}, drawn tokens: ${name}`;
  return {
    line: name,
    claims: {
      a: [
        judge(
          `pass@1, greedy tokens: ${name} - hard`,
          difference(line, hard, pass(data, "hard-greedy", 1)),
          MATCHES,
        ),
        judge(`${shown} - hard`, difference(line, hard, most), 0),
      ],
      c: [judge(`NLL moved: hard - ${name}`, lessMoved(data, hard, line), 0)],
      d: [judge(`half of hard's fall in entropy - that of ${name}`, fall, 0)],
      e: [judge(`tokens a second: ${name} / hard - 1`, speedOver(line, hard), OVERHEAD)],
    },
    atEqual: {
      a: judge(`${shown} - hard stopped early`, difference(line, early, most), 0),
      c: judge(`NLL moved: hard stopped early - ${name}`, lessMoved(data, early, line), 0),
      d: judge(`entropy: ${name} - hard stopped early`, difference(line, early, entropy(data)), 0),
    },
    gap: difference(line, early, pass(data, "hard-sample", 1)),
    stoppedAfter: early.map(({ step }) => step),
  };
}

/** How much farther hard training moved the NLL than a line did, each in its own direction. */
function lessMoved(data: ClaimData, hard: readonly Point[], line: readonly Point[]): Crossed | null {
  const values = nll(data);
  const untrained = data.ends.get("untrained")!;
  const direction = (points: readonly Point[]) =>
    Math.sign(difference(points, untrained, values)?.value ?? 0);
  const [ofHard, ofLine] = [direction(hard), direction(line)];
  return combined(data, hard, line, values, (h, x, u) => ofHard * (h - u) - ofLine * (x - u));
}

/** Claim (b): no other mode is better than hard inference by more than what counts as a match. */
function judgeBest(data: ClaimData): Part[] {
  const soft = data.ends.get("soft")!;
  const over = (mode: string, other: string, k: number) => {
    const [ours, theirs] = [mode, other].map((one) => valuesAt(soft, pass(data, one, k)));
    const apart = ours && theirs ? crossedDifference(ours, theirs) : null;
    return judge(`soft-trained, pass@${k}: ${mode} - ${other}`, apart, MATCHES);
  };
  return [
    over("hard-greedy", "soft-greedy", 1),
    over("hard-greedy", "fuzzy-greedy", 1),
    over("hard-sample", "soft-sample", data.k),
    over("hard-sample", "fuzzy-sample", data.k),
  ];
}

/** Tokens a second of all rollouts of a training. */
export function rolloutSpeed({ run: { lines } }: Point): number {
  const sum = (value: (line: typeof lines[number]) => number) =>
    lines.reduce((total, line) => total + value(line), 0);
  return sum(({ tokens }) => tokens) / sum(({ time }) => time.rollout);
}

function speedOver(line: readonly Point[], hard: readonly Point[]): Crossed | null {
  const ratios = line.flatMap((point) => {
    const beside = hard.find(({ run }) => run.seed === point.run.seed);
    return beside ? [[rolloutSpeed(point) / rolloutSpeed(beside) - 1]] : [];
  });
  if (ratios.length === 0 || !Number.isFinite(mean(ratios.map(([ratio]) => ratio)))) return null;
  return crossedMean(ratios);
}
