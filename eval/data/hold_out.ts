import { UserError } from "../../gpu/errors.ts";
import { hashText } from "../hash_text.ts";
import { seededUniform } from "../seeded_uniform.ts";
import type { Question } from "../task.ts";
import { normalText } from "./normal_text.ts";

/** Training questions that are held out for validation where nobody says how many. */
const VALIDATION_QUESTIONS = 256;

/** Of fewer different questions none are held out: a share of half of them would tell little, and training would lack them. */
export const LEAST_TO_HOLD_OUT = 6;

// A label of its own: the seed's other draws stay apart from these.
const HOLD_OUT = 0x484f;

/** The training questions, parted. */
interface HeldOut {
  /** Those to train on, in their order. */
  train: Question[];
  /** Those to choose the best checkpoint by, in an order of the seed's. */
  validation: Question[];
}

/** How questions are held out. */
interface HoldOutOptions {
  /** Decides which (default 0). */
  seed?: number;
  /** How many (default 256), at most half of the different ones; none of fewer than {@link LEAST_TO_HOLD_OUT}. */
  validation?: number;
  /** Ids of those to hold out instead. */
  heldOut?: readonly string[];
}

/**
 * Holds questions out for validation: by the seed and by their ids, so whatever their order in the files; repeats of a
 * question that is held out are not trained on either.
 *
 * @param name of the task, for messages
 * @throws UserError if one of the ids in `heldOut` is not among the questions
 */
export function holdOut(
  name: string,
  questions: Question[],
  { seed = 0, validation: wanted = VALIDATION_QUESTIONS, heldOut }: HoldOutOptions = {},
): HeldOut {
  const byText = new Map<string, Question>();
  for (const question of questions) {
    const text = normalText(question.question);
    if (!byText.has(text)) byText.set(text, question);
  }
  const distinct = [...byText.values()];
  const validation = heldOut
    ? named(name, distinct, heldOut)
    : distinct.length < LEAST_TO_HOLD_OUT
    ? []
    : ranked(distinct, seed).slice(0, Math.min(wanted, Math.floor(distinct.length / 2)));
  const texts = new Set(validation.map(({ question }) => normalText(question)));
  return { train: questions.filter(({ question }) => !texts.has(normalText(question))), validation };
}

function ranked(questions: Question[], seed: number): Question[] {
  const ranks = new Map(questions.map((one) => [one, seededUniform(seed, hashText(one.id), HOLD_OUT)()]));
  return questions.toSorted((a, b) => ranks.get(a)! - ranks.get(b)! || (a.id < b.id ? -1 : 1));
}

function named(name: string, questions: Question[], ids: readonly string[]): Question[] {
  const byId = new Map(questions.map((question) => [question.id, question]));
  const missing = ids.filter((id) => !byId.has(id));
  if (missing.length > 0) {
    throw new UserError(
      `Cannot hold out the run's validation questions of ${name}: ${missing.length} of ${ids.length} are not in these ` +
        "data, the data of the run are needed",
    );
  }
  return ids.map((id) => byId.get(id)!);
}
