import { UserError } from "../../gpu/errors.ts";
import { NAMES } from "../../model/builtin/words.ts";
import { seededUniform } from "../seeded_uniform.ts";
import { type Stream, streamOf } from "../task.ts";
import {
  arithmetic,
  between,
  drawAnyProblem,
  oneOf,
  type Problem,
  STREAM_LABELS,
  SUMS,
} from "./sums_problem.ts";

/** Two who own things of one kind, and what happens to each, told in one story. */
export interface OwnersProblem {
  /** What each of the two goes through; the objects are the same, the names are not. */
  problems: [Problem, Problem];
  /** Whose change comes next in the story. */
  order: (0 | 1)[];
  /** Whose number is asked for. */
  asked: 0 | 1;
}

/** Each goes through one to three changes of those of `sums`. */
const EACH = { ...SUMS, minOperations: 1, maxOperations: 3 };

/**
 * Draws the problem at an index of a stream.
 *
 * @param domain keeps what is drawn for one end apart from what is drawn for another
 */
export function drawOwners(stream: Stream, seed: number, index: number, domain: number): OwnersProblem {
  const uniform = seededUniform(seed, index, domain, STREAM_LABELS[stream], OWNERS_LABEL);
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const problem = drawAny(uniform);
    if (streamOf(keyOf(problem)) === stream) return problem;
  }
  throw new UserError(`Cannot draw a problem of two owners for the ${stream} stream: none came`);
}

const OWNERS_LABEL = 7;
const MOST_ATTEMPTS = 10_000;

function drawAny(uniform: () => number): OwnersProblem {
  const first = drawAnyProblem(EACH, uniform);
  const second = drawAnyProblem(EACH, uniform);
  const others = NAMES.filter((name) => name !== first.name);
  const problems: [Problem, Problem] = [first, {
    ...second,
    object: first.object,
    name: oneOf(others, uniform),
  }];
  const left = problems.map(({ operations }) => operations.length);
  const order: (0 | 1)[] = [];
  while (left[0] + left[1] > 0) {
    const who = uniform() * (left[0] + left[1]) < left[0] ? 0 : 1;
    order.push(who);
    left[who]--;
  }
  return { problems, order, asked: between(0, 1, uniform) as 0 | 1 };
}

/** The problem without its words. */
const keyOf = ({ problems, order, asked }: OwnersProblem): string =>
  `${problems.map(arithmetic).join(" ")} ${order.join("")} ${asked}`;

/** The story and the question in words. */
export function ownersText({ problems, order, asked }: OwnersProblem): string {
  const { name, object } = problems[asked];
  const starts = problems.map(({ name, totals }) => `${name} has ${totals[0]} ${object}.`);
  const next = [0, 0];
  const events = order.map((who) => `${problems[who].name} ${problems[who].operations[next[who]++].words}.`);
  return [...starts, ...events, `How many ${object} does ${name} have?`].join(" ");
}
