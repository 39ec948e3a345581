/**
 * Kept rollouts as they stand in files, made into what the page shows: records of training (samples.jsonl, with a version or of old) and
 * of evaluations (TASK-MODE.jsonl). What a record lacks, or has in another form, is left out: files come from anywhere.
 *
 * @module
 */
import type { RolloutLine, RolloutView, Step, Weighed } from "./view_data.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Characters of a question that a list shows. */
const HEAD = 120;

/**
 * A rollout as a list shows it.
 * @param place its number
 * @param way how the run thinks, where the record does not say
 */
export function lineOf(record: Fields, place: number, way: string): RolloutLine {
  const mode = text(record.mode) || text(record.way) || way;
  const question = text(record.question);
  const entropies = numbers(record.thinking_entropies);
  const isEvaluation = typeof record.index === "number";
  const group = isEvaluation
    ? `${mode}.${record.index}`
    : number(record.group) === null
    ? ""
    : `${number(record.step)}.${record.group}`;
  return {
    place,
    step: number(record.step),
    mode,
    question: questionOf(record),
    group,
    sample: number(record.sample) ?? 0,
    reward: number(record.reward) ?? 0,
    advantage: number(record.advantage),
    equal: record.equal === true,
    refilled: record.refilled === true,
    correct: typeof record.correct === "boolean" ? record.correct : number(record.reward) === 100,
    rule: typeof record.rule === "string" ? record.rule : null,
    end: text(record.thinking_end),
    tokens: countOf(record.thinking_tokens) + countOf(record.answer_tokens),
    entropy: entropies.length === 0 ? null : entropies.reduce((sum, one) => sum + one, 0) / entropies.length,
    head: headOf(question),
    boxed: typeof record.boxed === "string" ? headOf(record.boxed) : null,
  };
}

/** The id of a record's question; of records of old, which have none, its text. */
export const questionOf = (record: Fields): string => text(record.id) || text(record.question);

/** A rollout in full. */
export function viewOf(record: Fields, place: number, id: string, way: string): RolloutView {
  const line = lineOf(record, place, way);
  const pieces = (record.pieces ?? {}) as Record<string, unknown>;
  const forced = text(record.forced);
  const thinking = thinkingOf(record, forced);
  const tokenized = typeof record.pieces === "object" && record.pieces !== null;
  return {
    ...line,
    id,
    questionText: text(record.question),
    gold: text(record.gold),
    boxed: typeof record.boxed === "string" ? record.boxed : null,
    prompt: typeof record.prompt === "string" ? record.prompt : null,
    thought: tokenized ? thoughtOf(record, pieces) : whole(thinking),
    forced,
    answer: tokenized
      ? tokensOf(record.answer_tokens, pieces, numbers(record.answer_log_probabilities))
      : whole(text(record.answer)),
    answerEnd: typeof record.answer_end === "string" ? record.answer_end : null,
    continuous: typeof record.continuous === "boolean"
      ? record.continuous
      : typeof record.shadow === "string" || Array.isArray(record.mixtures),
    way: text(record.way) || way || line.mode,
    tokenized,
  };
}

/** The texts that a search looks through. */
export function searchedOf(record: Fields): string[] {
  return [record.question, record.thinking ?? record.text, record.answer].map(text);
}

/** Evaluations keep all that was generated as one text. */
function thinkingOf(record: Fields, forced: string): string {
  if (typeof record.thinking === "string") return record.thinking;
  if (typeof record.shadow === "string") return record.shadow;
  const all = text(record.text);
  const rest = forced + text(record.answer);
  return rest !== "" && all.endsWith(rest) ? all.slice(0, -rest.length) : all;
}

const whole = (text: string): Step[] => text === "" ? [] : [stepOf(-1, text)];

function thoughtOf(record: Fields, pieces: Record<string, unknown>): Step[] {
  const [entropies, noise, surprise] = [record.thinking_entropies, record.noise, record.surprise].map(list);
  const mixtures = list(record.mixtures);
  const steps = tokensOf(record.thinking_tokens, pieces, list(record.thinking_log_probabilities));
  return steps.map((step, i) => ({
    ...step,
    entropy: number(entropies[i]),
    mixture: Array.isArray(mixtures[i]) ? mixtures[i].flatMap((one) => weighed(one, pieces)) : null,
    noise: number(noise[i]),
    surprise: number(surprise[i]),
  }));
}

function tokensOf(tokens: unknown, pieces: Record<string, unknown>, logps: readonly unknown[]): Step[] {
  return list(tokens).map((token, i) => ({
    ...stepOf(number(token) ?? -1, pieceOf(token, pieces)),
    logp: number(logps[i]),
  }));
}

const stepOf = (token: number, text: string): Step => ({
  ...{ token, text, logp: null, entropy: null },
  ...{ mixture: null, noise: null, surprise: null },
});

function weighed(one: unknown, pieces: Record<string, unknown>): Weighed[] {
  const [token, weight, probability] = list(one);
  if (number(token) === null || number(weight) === null) return [];
  return [{
    token: token as number,
    text: pieceOf(token, pieces),
    weight: weight as number,
    probability: number(probability),
  }];
}

function pieceOf(token: unknown, pieces: Record<string, unknown>): string {
  const key = String(token);
  return Object.hasOwn(pieces, key) ? text(pieces[key]) : "";
}

const list = (value: unknown): readonly unknown[] => Array.isArray(value) ? value : [];
const text = (value: unknown): string => typeof value === "string" ? value : "";
const number = (value: unknown): number | null => typeof value === "number" ? value : null;
const numbers = (value: unknown): number[] => list(value).filter((one) => typeof one === "number");
const countOf = (value: unknown): number => list(value).length;

/** Cut before a character of two halves, not within. */
function headOf(question: string): string {
  if (question.length <= HEAD) return question;
  const cut = question.charCodeAt(HEAD - 1);
  return question.slice(0, cut >= 0xd800 && cut < 0xdc00 ? HEAD - 1 : HEAD);
}
