import { UserError } from "../../gpu/errors.ts";
import { letEventsIn } from "../../gpu/let_events_in.ts";
import type { Tokenizer } from "../../model/tokenizer/tokenizer.ts";
import type { Model } from "../../model/transformer/transformer.ts";
import type { Stream } from "../task.ts";
import { type LongPrompts, tokensBeyond, withoutBeginning } from "../questions/long_prompts.ts";
import { type ChoiceRecord, type ChoiceResult, judgeChoices, tallyChoices } from "./choice_result.ts";
import type { ChoiceQuestion, ChoiceTask } from "./choice_task.ts";
import { type ChoiceGroup, encodeChoices, type EncodedChoices, rowsOfGroup } from "./encode_choices.ts";
import { mostPassRows, scoreGroups } from "./score_groups.ts";

/** What is measured, and how. */
export interface ChoiceOptions {
  /** Where the questions come from. */
  stream: Stream;
  /** How many, from the first; all if not given. */
  questions?: number;
  /** Examples with their answers before each question (default 0). */
  shots?: number;
  /**
   * What becomes of a question whose text, with a choice, is longer than the model's context: its beginning is cut off (`truncate`), as
   * lm-evaluation-harness does, if nothing is said.
   */
  longPrompts?: LongPrompts;
  /** Rows of one pass, about; changes no result. What the device suggests if not given. */
  passRows?: number;
  /** Records of a run that was interrupted: their questions are not scored again. */
  known?: readonly ChoiceRecord[];
  /** Called after each pass. */
  onProgress?: (progress: { done: number; total: number; accuracy: number }) => void;
  /** Called with each question as it is scored, in order; not with known ones. */
  onRecord?: (record: ChoiceRecord) => void;
  /** Stops between passes. */
  signal?: AbortSignal;
}

/**
 * Asks a model how probable it finds each answer of a choice task, teacher-forced, without thinking (method section 6).
 * Prompts, tokenisation and scores are those of lm-evaluation-harness.
 *
 * @throws UserError if there is no question, or one that cannot be scored or is to be refused
 */
export async function evaluateChoices(
  model: Model,
  tokenizer: Tokenizer,
  task: ChoiceTask,
  options: ChoiceOptions,
): Promise<ChoiceResult> {
  const { stream, onProgress, onRecord, signal } = options;
  const total = Math.min(options.questions ?? Infinity, task.size(stream));
  if (total === 0) {
    throw new UserError(
      `Cannot evaluate ${task.name}: there is no ${stream} question, at least one is needed`,
    );
  }
  checkShots(task, options.shots ?? 0);
  const records: ChoiceRecord[] = [];
  let [right, skipped] = [0, 0];
  const started = performance.now();
  for (const pass of planPasses(model, tokenizer, task, total, options)) {
    signal?.throwIfAborted();
    const scores = await scoreGroups(model, pass.groups.map(({ group }) => group));
    pass.groups.forEach(({ group, asked }, g) => {
      group.choices.forEach((choice, i) => asked.logps[choice] = scores[g][i]);
      asked.rows += rowsOfGroup(group);
    });
    skipped += pass.skipped;
    for (const asked of pass.complete) {
      const record = asked.known ?? judgeChoices(asked.index, asked.question, asked.logps, asked);
      records.push(record);
      if (record.correct) right++;
      if (!asked.known) onRecord?.(record);
    }
    onProgress?.({ done: records.length + skipped, total, accuracy: right / Math.max(1, records.length) });
    await letEventsIn();
  }
  if (records.length === 0) throw tooLong(`all ${total} questions of ${task.name}`, model.config.maxPosition);
  const seconds = (performance.now() - started) / 1000;
  return { ...tallyChoices(task, records), ...(skipped > 0 ? { skipped } : {}), seconds, records };
}

function checkShots({ name, mostShots }: ChoiceTask, shots: number): void {
  if (shots <= mostShots) return;
  throw new UserError(
    `Cannot put ${shots} examples before each question of ${name}: its data hold ${mostShots || "none"}`,
    mostShots > 0 ? undefined : "leave --shots out",
  );
}

/** A question on its way. */
interface Asked {
  index: number;
  question: ChoiceQuestion;
  known?: ChoiceRecord;
  truncated: number;
  rows: number;
  /** ln p by token of each choice, as they come. */
  logps: Float32Array[];
}

interface Pass {
  groups: { group: ChoiceGroup; asked: Asked }[];
  /** Questions that this pass completes. */
  complete: Asked[];
  /** Questions on the way to it that were too long. */
  skipped: number;
}

const newPass = (): Pass => ({ groups: [], complete: [], skipped: 0 });

// A pass of the software device takes seconds, and one of a GPU needs many rows to be busy.
const PASS_ROWS = { software: 512, gpu: 4096 };

/** Fills passes with the questions in their order, up to about `passRows` rows each. */
function* planPasses(
  model: Model,
  tokenizer: Tokenizer,
  task: ChoiceTask,
  total: number,
  { stream, shots = 0, passRows, known, longPrompts = "truncate" }: ChoiceOptions,
): Generator<Pass> {
  const most = mostPassRows(model);
  const rows = Math.min(most, passRows ?? PASS_ROWS[model.gpu.adapter.software ? "software" : "gpu"]);
  const knownAt = new Map(known?.map((record) => [record.index, record]));
  let pass = newPass();
  let used = 0;
  for (let index = 0; index < total; index++) {
    const question = task.question(stream, index, shots);
    const asked: Asked = { index, question, truncated: 0, rows: 0, logps: [] };
    if (knownAt.get(index)?.id === question.id) asked.known = knownAt.get(index);
    else {
      const encoded = encodeWithin(tokenizer, question, model.config.maxPosition, longPrompts);
      if (encoded === undefined) {
        pass.skipped++;
        continue;
      }
      asked.truncated = encoded.truncated;
      for (const group of encoded.groups.flatMap((group) => split(group, most))) {
        const size = rowsOfGroup(group);
        if (size > most) throw tooWide(question, size, most);
        if (used > 0 && used + size > rows) {
          yield pass;
          [pass, used] = [newPass(), 0];
        }
        pass.groups.push({ group, asked });
        used += size;
      }
    }
    pass.complete.push(asked);
  }
  yield pass;
}

/** A group in pieces that fit into a pass, or of a single choice. */
function split(group: ChoiceGroup, most: number): ChoiceGroup[] {
  const pieces: ChoiceGroup[] = [];
  let used = Infinity;
  group.continuations.forEach((tokens, i) => {
    const more = tokens.length - 1;
    if (used + more > most) {
      pieces.push({ context: group.context, choices: [], continuations: [] });
      used = group.context.length;
    }
    pieces.at(-1)!.choices.push(group.choices[i]);
    pieces.at(-1)!.continuations.push(tokens);
    used += more;
  });
  return pieces;
}

/** A question's tokens; undefined where it is too long and to be skipped. Of a text far too long no more is tokenised than shows it. */
function encodeWithin(
  tokenizer: Tokenizer,
  question: ChoiceQuestion,
  most: number,
  long: LongPrompts,
): EncodedChoices | undefined {
  const { context } = question;
  if (long === "truncate") {
    return encodeChoices(tokenizer, { ...question, context: withoutBeginning(context, most) }, most);
  }
  if (tokensBeyond(tokenizer, context, most) === undefined) {
    const encoded = encodeChoices(tokenizer, question, most);
    if (encoded.truncated === 0) return encoded;
  }
  if (long === "skip") return undefined;
  throw tooLong(`question ${question.id}`, most);
}

const tooLong = (what: string, most: number) =>
  new UserError(
    `Cannot score ${what} in whole: with a choice, the text is longer than the ${most} tokens of the model's context`,
    "fewer --shots make texts shorter; --long-prompts skip leaves such questions out, truncate cuts their beginning",
  );

function tooWide({ id }: ChoiceQuestion, rows: number, most: number): UserError {
  return new UserError(
    `Cannot score question ${id}: its text has ${rows} tokens, on this device at most ${most} fit into a pass`,
    "fewer --shots make the text shorter",
  );
}
